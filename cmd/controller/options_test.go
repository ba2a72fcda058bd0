package main

import (
	"bytes"
	"io"
	"strings"
	"testing"
	"time"
)

func parse(environment map[string]string, arguments ...string) (options, error) {
	return parseOptions(arguments, func(name string) (string, bool) {
		value, ok := environment[name]
		return value, ok
	}, io.Discard)
}

func TestTheFlagWinsOverItsVariable(t *testing.T) {
	o, err := parse(map[string]string{"VAULTPANE_EXPIRING_SOON": "1h", "VAULTPANE_WATCH_EVENT_BUDGET": "7", "POD_NAMESPACE": "ours"}, "--expiring-soon", "2h")
	if err != nil {
		t.Fatal(err)
	}
	if o.expiringSoon != 2*time.Hour || o.watchEvents != 7 || o.namespace != "ours" || o.agents.String() != "kubernetes.io/os=windows" {
		t.Errorf("got %+v", o)
	}
}

func TestNonsenseIsNamed(t *testing.T) {
	tests := []struct {
		name      string
		arguments []string
		says      string
	}{
		{"a selector that is none", []string{"--agent-node-selector=a=b=c"}, "--agent-node-selector is \"a=b=c\", must be a label selector"},
		{"no namespace", []string{"--namespace="}, "--namespace is empty"},
		{"a negative time", []string{"--expiring-soon=-1h"}, "--expiring-soon is -1h"},
		{"no budget", []string{"--watch-event-budget=0"}, "--watch-event-budget is 0, must be at least 1 (in the Helm chart: controller.watchEventBudget)"},
		{"another format", []string{"--log-format=xml"}, `--log-format is "xml"`},
		{"an argument", []string{"run"}, `"run"; vaultpane-controller --help`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := parse(nil, test.arguments...); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got error %v, want %q in it", err, test.says)
			}
		})
	}
}

func TestHelpNamesEachVariable(t *testing.T) {
	var help bytes.Buffer
	if err := run([]string{"--help"}, io.Discard, &help); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"remove-startup-taint", "--agent-node-selector", "[VAULTPANE_AGENT_NODE_SELECTOR]", "[VAULTPANE_LOG_LEVEL]"} {
		if !strings.Contains(help.String(), text) {
			t.Errorf("the help does not say %s:\n%s", text, help.String())
		}
	}
}

func TestVersionIsACommandToo(t *testing.T) {
	for _, arguments := range [][]string{{"version"}, {"--version"}} {
		var output strings.Builder
		if err := run(arguments, &output, io.Discard); err != nil || output.String() != "vaultpane-controller dev\n" {
			t.Errorf("%q: got %q, error %v", arguments, output.String(), err)
		}
	}
}

// A version is asked for to find out why settings do not work.
func TestTheVersionIsPrintedWhateverTheSettingsAre(t *testing.T) {
	for name, value := range map[string]string{"VAULTPANE_EXPIRING_SOON": "week", "VAULTPANE_LOG_FORMAT": "xml", "VAULTPANE_LOGLEVEL": "1"} {
		for _, arguments := range [][]string{{"version"}, {"--version"}} {
			t.Run(name+" "+arguments[0], func(t *testing.T) {
				t.Setenv(name, value)
				var output strings.Builder
				if err := run(arguments, &output, io.Discard); err != nil || output.String() != "vaultpane-controller dev\n" {
					t.Errorf("got %q, error %v", output.String(), err)
				}
			})
		}
	}
}

func TestAVariableThatIsNearlyASettingEndsTheController(t *testing.T) {
	t.Setenv("VAULTPANE_LOGLEVEL", "2")
	if err := run(nil, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "did you mean VAULTPANE_LOG_LEVEL?") {
		t.Errorf("got error %v", err)
	}
}
