package main

import (
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/cmd/agent/internal/storecommand"
)

func parse(environment map[string]string, arguments ...string) (options, error) {
	return parseOptions(arguments, func(name string) (string, bool) {
		value, ok := environment[name]
		return value, ok
	}, io.Discard)
}

func TestTheFlagWinsOverItsVariable(t *testing.T) {
	o, err := parse(map[string]string{"VAULTPANE_WORKERS": "3", "VAULTPANE_INITIAL_SPREAD": "1s", "NODE_NAME": "n1", "VAULTPANE_ALLOWED_VAULT_HOSTS": "a.example,b:1"}, "--workers", "5")
	if err != nil {
		t.Fatal(err)
	}
	if o.Workers != 5 || o.InitialSpread != time.Second || o.Node != "n1" || strings.Join(o.Azure.AllowedVaultHosts, " ") != "a.example b:1" {
		t.Errorf("got %+v", o)
	}
}

// An image says its version in a variable of that name; that must neither end the agent nor make it print its version.
func TestVariablesThatAreNotSettings(t *testing.T) {
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
		{"the chart's value in addition to the flag", nil, []string{"--workers=0"}, []string{"--workers is 0, must be 1 to 1000 (in the Helm chart: agent.workers)"}},
		{"a credential's value of the chart", map[string]string{"VAULTPANE_CREDENTIAL": "msi"}, nil, []string{"(in the Helm chart: azure.credential)"}},
		{"a top-level domain of vaults", nil, []string{"--allowed-vault-hosts=.net"}, []string{`--allowed-vault-hosts has ".net"`, "top-level domain", "agent.allowedVaultHosts"}},
		{"a vault's name for its host", nil, []string{"--allowed-vault-hosts=myvault"}, []string{`"myvault"`, "not a host name that a node can resolve"}},
		{"a vault's URL for its host", nil, []string{"--allowed-vault-hosts=https://vault.my.cloud/"}, []string{`"https://vault.my.cloud/"`, "without https:// and path"}},
		{"no node", nil, []string{"--node-name="}, []string{"--node-name is empty"}},
		{"no namespace", nil, []string{"--namespace="}, []string{"--namespace is empty"}},
		{"an unknown flag", nil, []string{"--worker=1"}, []string{"--worker"}},
		{"an argument", nil, []string{"go"}, []string{`"go"`, "--help"}},
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

func TestNamesOfNodesAreInLowerCase(t *testing.T) {
	for _, environment := range []map[string]string{{"NODE_NAME": "AKSWIN00001"}, {"VAULTPANE_NODE_NAME": "AksWin00001"}} {
		if o, err := parse(environment); err != nil || o.Node != "akswin00001" {
			t.Errorf("%v: got %q, error %v", environment, o.Node, err)
		}
	}
}

func TestHostsOfVaultsThatAreRight(t *testing.T) {
	for _, hosts := range []string{".vault.my.cloud", "vault.example:8443", "localhost", "localhost:8443", "127.0.0.1:8443", "emulator:4997", "[::1]:8443"} {
		if _, err := parse(nil, "--allowed-vault-hosts="+hosts); err != nil {
			t.Errorf("%s: %v", hosts, err)
		}
	}
}

// A variable that a person writes as a list has blanks after its commas, and one that a template writes may end with a comma.
func TestListsOfHostsWithBlanks(t *testing.T) {
	for written, want := range map[string]string{
		"a.my.cloud, b.my.cloud": "a.my.cloud b.my.cloud", "a.my.cloud,": "a.my.cloud", " , a.my.cloud ,,": "a.my.cloud", ",": "",
	} {
		o, err := parse(map[string]string{"VAULTPANE_ALLOWED_VAULT_HOSTS": written, "VAULTPANE_DISABLE_CHALLENGE_RESOURCE_VERIFICATION": written})
		if got := strings.Join(o.Azure.AllowedVaultHosts, " "); err != nil || got != want {
			t.Errorf("%q: got %q, error %v, want %q", written, got, err, want)
		}
		if got := strings.Join(o.Azure.DisableChallengeResourceVerification, " "); err == nil && got != want {
			t.Errorf("%q for challenges: got %q, want %q", written, got, want)
		}
	}
	if _, err := parse(map[string]string{"VAULTPANE_ALLOWED_VAULT_HOSTS": "a.my.cloud, .net"}); err == nil || !strings.Contains(err.Error(), `".net"`) {
		t.Errorf("got error %v, want the second host in it", err)
	}
}

// TestTheChartHasTheValuesThatAreNamed compares the names with the chart's own, and wants one for each flag but those that the
// chart sets itself.
func TestTheChartHasTheValuesThatAreNamed(t *testing.T) {
	text, err := os.ReadFile("../../charts/vaultpane/values.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var values map[string]any
	if err := yaml.Unmarshal(text, &values); err != nil {
		t.Fatal(err)
	}
	for flag, path := range chartValues {
		if _, found, _ := unstructured.NestedFieldNoCopy(values, strings.Split(path, ".")...); !found {
			t.Errorf("--%s: the chart has no value %s", flag, path)
		}
	}
	without := []string{"VAULTPANE_NODE_NAME", "VAULTPANE_NAMESPACE", "VAULTPANE_KUBECONFIG", "VAULTPANE_STORE", "VAULTPANE_HOST_LOG_DIR"}
	for _, variable := range variables() {
		flag := strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(variable, "VAULTPANE_"), "_", "-"))
		if chartValues[flag] == "" && !slices.Contains(without, variable) {
			t.Errorf("--%s has no value of the chart", flag)
		}
	}
}

func TestTheStoreCommandTakesTheAgentsVariable(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("the store of Windows has no folder")
	}
	t.Setenv("VAULTPANE_STORE_PATH", "not/absolute")
	if err := storecommand.Run([]string{"list"}, io.Discard, time.Now()); err == nil || !strings.Contains(err.Error(), "not/absolute") {
		t.Errorf("got error %v, want the folder of VAULTPANE_STORE_PATH in it", err)
	}
}
