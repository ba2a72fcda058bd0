package cli

import (
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestVariablesThatNothingReadsAreTold(t *testing.T) {
	known := []string{"VAULTPANE_WORKERS", "VAULTPANE_LOG_LEVEL", "VAULTPANE_LOG_FORMAT"}
	tests := []struct {
		name, variable string
		others         []string
		says           string
	}{
		{"a setting", "VAULTPANE_WORKERS=5", nil, ""},
		{"a letter too few", "VAULTPANE_WORKER=5", nil, "VAULTPANE_WORKER is unknown; did you mean VAULTPANE_WORKERS?"},
		{"a missing underscore", "VAULTPANE_LOGLEVEL=2", nil, "did you mean VAULTPANE_LOG_LEVEL?"},
		{"small letters", "vaultpane_log_level=2", nil, "did you mean VAULTPANE_LOG_LEVEL?"},
		{"one that is empty counts as not set", "VAULTPANE_WORKER=", nil, ""},
		{"another word", "VAULTPANE_PROXY=http://proxy", []string{"VAULTPANE_PROXY"}, ""},
		{"the image's version", "VAULTPANE_VERSION=v1", nil, ""},
		{"a Service of the name", "VAULTPANE_PORT=tcp://10.0.0.1:443", nil, ""},
		{"a Service's port", "VAULTPANE_CONTROLLER_METRICS_PORT_8080_TCP_ADDR=10.0.0.1", nil, ""},
		{"a Service's host", "VAULTPANE_CONTROLLER_METRICS_SERVICE_HOST=10.0.0.1", nil, ""},
		{"another program's", "WORKERS=5", nil, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			others, err := unread(known, []string{"PATH=/bin", test.variable}, false)
			if !slices.Equal(others, test.others) {
				t.Errorf("got %q, want %q", others, test.others)
			}
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got error %v, want %q in it", err, test.says)
			}
		})
	}
}

// The names of Windows' environment variables have any case: os.LookupEnv finds VAULTPANE_LOG_LEVEL in each of these.
func TestVariablesOfAnyCase(t *testing.T) {
	known := []string{"VAULTPANE_LOG_LEVEL"}
	for _, variable := range []string{"vaultpane_log_level=2", "Vaultpane_Log_Level=2", "vaultpane_version=v1", "VAULTPANE_LOG_LEVEL=2"} {
		if others, err := unread(known, []string{variable}, true); err != nil || len(others) > 0 {
			t.Errorf("%s: got %q, error %v", variable, others, err)
		}
	}
	if _, err := unread(known, []string{"vaultpane_loglevel=2"}, true); err == nil || !strings.Contains(err.Error(), "did you mean VAULTPANE_LOG_LEVEL?") {
		t.Errorf("got error %v, want the setting that is meant", err)
	}
	environ := []string{"vaultpane_log_level=2"}
	if _, err := Unread(known, environ); (err == nil) != (runtime.GOOS == "windows") {
		t.Errorf("on %s: got error %v", runtime.GOOS, err)
	}
}
