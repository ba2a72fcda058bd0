package main

import (
	"io"
	"runtime"
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
	o, err := parse(map[string]string{"VAULTPANE_WORKERS": "3", "VAULTPANE_INITIAL_SPREAD": "1s", "NODE_NAME": "n1", "VAULTPANE_ALLOWED_VAULT_HOSTS": "a,b:1"}, "--workers", "5")
	if err != nil {
		t.Fatal(err)
	}
	if o.Workers != 5 || o.InitialSpread != time.Second || o.Node != "n1" || strings.Join(o.AllowedVaultHosts, " ") != "a b:1" {
		t.Errorf("got %+v", o)
	}
}

// An image says its version in a variable of that name; that must neither end the agent nor make it print its version.
func TestVariablesThatAreNoSettings(t *testing.T) {
	o, err := parse(map[string]string{"VAULTPANE_VERSION": "v1.2.3", "VAULTPANE_PORT": "tcp://10.0.0.1:443", "VAULTPANE_WORKERS": ""})
	if err != nil || o.showVersion || o.Workers != 10 {
		t.Errorf("got %+v, error %v", o, err)
	}
	if o, err := parse(map[string]string{"VAULTPANE_VERSION": "1"}); err != nil || o.showVersion {
		t.Errorf("got %+v, error %v", o, err)
	}
}

func TestNonsenseIsNamed(t *testing.T) {
	tests := []struct {
		name        string
		environment map[string]string
		arguments   []string
		says        []string
	}{
		{"no number", map[string]string{"VAULTPANE_WORKERS": "many"}, nil, []string{"VAULTPANE_WORKERS", `"many"`}},
		{"no duration", map[string]string{"VAULTPANE_STORE_CHECK_INTERVAL": "60"}, nil, []string{"VAULTPANE_STORE_CHECK_INTERVAL", `"60"`}},
		{"no workers", nil, []string{"--workers=0"}, []string{"--workers is 0", "1 to 1000"}},
		{"a million workers", nil, []string{"--workers=1000000"}, []string{"--workers is 1000000", "1 to 1000"}},
		{"a negative spread", nil, []string{"--initial-spread=-1s"}, []string{"--initial-spread is -1s"}},
		{"a spread of a day", nil, []string{"--initial-spread=24h"}, []string{"--initial-spread is 24h0m0s", "1h"}},
		{"a check each millisecond", nil, []string{"--store-check-interval=1ms"}, []string{"--store-check-interval is 1ms", "1s"}},
		{"a negative level", nil, []string{"--log-level=-1"}, []string{"--log-level is -1"}},
		{"another format", nil, []string{"--log-format=xml"}, []string{`--log-format is "xml"`, "json or text"}},
		{"a credential that is none", map[string]string{"VAULTPANE_CREDENTIAL": "msi"}, nil, []string{"--credential", `"msi"`, "managed-identity"}},
		{"an authority that is no URL", nil, []string{"--authority-host=login.microsoftonline.us"}, []string{"--authority-host", "login.microsoftonline.us", "https://"}},
		{"an authority with a tenant", nil, []string{"--authority-host=https://login.microsoftonline.us/tenant"}, []string{"--authority-host", "must be the URL"}},
		{"a negative budget", nil, []string{"--vault-requests-per-second=-1"}, []string{"--vault-requests-per-second is -1"}},
		{"a host log somewhere", map[string]string{"VAULTPANE_HOST_LOG_DIR": "log"}, nil, []string{`--host-log-dir is "log"`, "absolute"}},
		{"no node", nil, []string{"--node-name="}, []string{"--node-name is empty"}},
		{"no namespace", nil, []string{"--namespace="}, []string{"--namespace is empty"}},
		{"an unknown flag", nil, []string{"--worker=1"}, []string{"--worker"}},
		{"an argument", nil, []string{"run"}, []string{`"run"`, "--help"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := parse(test.environment, test.arguments...)
			for _, text := range test.says {
				if err == nil || !strings.Contains(err.Error(), text) {
					t.Errorf("got error %v, want %q in it", err, text)
				}
			}
		})
	}
}

func TestTheStoreCommandTakesTheAgentsVariable(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the store of Windows has no folder")
	}
	t.Setenv("VAULTPANE_STORE_PATH", "not/absolute")
	if err := runStore([]string{"list"}, io.Discard, time.Now()); err == nil || !strings.Contains(err.Error(), "not/absolute") {
		t.Errorf("got error %v, want the folder of VAULTPANE_STORE_PATH in it", err)
	}
}
