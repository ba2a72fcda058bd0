package charts_test

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestTheChartSaysWhatTheAPIServerWouldSay: the chart checks the rules of the CRD, so that an invalid certificate does not fail an
// installation halfway. Its message is the API server's.
func TestTheChartSaysWhatTheAPIServerWouldSay(t *testing.T) {
	plane := cluster(t)
	for name, test := range map[string]struct{ field, value, says string }{
		"plain http":                       {"url", "http://v.vault.azure.net/secrets/a", "must begin with https://"},
		"no host":                          {"url", "https:///secrets/a", "needs a host name"},
		"port 0":                           {"url", "https://v.vault.azure.net:0/secrets/a", "has a port that is not between 1 and 65535"},
		"a user":                           {"url", "https://me@v.vault.azure.net/secrets/a", "must not contain a user name or password"},
		"a query":                          {"url", "https://v.vault.azure.net/secrets/a?api-version=7.4", "must not have a query"},
		"a key":                            {"url", "https://v.vault.azure.net/keys/a", "must point to /secrets/<name>"},
		"no name":                          {"url", "https://v.vault.azure.net/secrets/", "must have the path /secrets/<name>"},
		"a short version":                  {"url", "https://v.vault.azure.net/secrets/a/0123", "a version is 32 hexadecimal digits"},
		"a path for a store":               {"certificateStoreName", `Cert:\LocalMachine\My`, "must be the name of a store"},
		"a store of Windows' own":          {"certificateStoreName", "Disallowed", "belong to Windows' own root update"},
		"an interval too short":            {"pollingIntervalInS", "29", "must be at least 30 seconds"},
		"an interval too long":             {"pollingIntervalInS", "2592001", "must be at most 2592000 seconds"},
		"an account that is a space":       {"accounts", `[" "]`, "an account must not be empty"},
		"a line break in an account":       {"accounts", `["a\nb"]`, "an account must not contain control characters"},
		"too many versions":                {"revisionHistoryLimit", "101", "must be between 0 and 100 superseded versions"},
		"a resource id":                    {"authentication", "{msiClientId: /subscriptions/0}", "must be a client id, a GUID"},
		"a label's value with a space":     {"nodeSelector", "{matchLabels: {pool: my pool}}", "must be the value of a label"},
		"a label's key with a space":       {"nodeSelector", "{matchExpressions: [{key: my pool, operator: Exists}]}", "must be the key of a label"},
		"an operator without its values":   {"nodeSelector", "{matchExpressions: [{key: pool, operator: NotIn}]}", "the operators In and NotIn need values"},
		"an operator with values too many": {"nodeSelector", "{matchExpressions: [{key: pool, operator: Exists, values: [a]}]}", "must not have values"},
		"a display name":                   {"certificateStoreName", "Trusted Publishers", "is named TrustedPublisher; write TrustedPublisher"},
		"a trailing space in a URL":        {"url", "'https://v.vault.azure.net/secrets/a '", "has leading or trailing spaces"},
		"an underscore":                    {"url", "https://my_vault.vault.azure.net/secrets/a", "has '_' in its host"},
		"the portal":                       {"url", "https://portal.azure.com/", "is an address of the Azure portal"},
		"accounts in one string":           {"accounts", "['a;b']", "contains several accounts in one string"},
		"two backslashes":                  {"accounts", `['a\\b']`, "contains two backslashes in a row"},
		"an asterisk":                      {"accounts", "['*S-1-5-20']", "contains one of * ? | < >"},
		"half a SID":                       {"accounts", "[S-1-5]", "begins like a SID but is not one"},
		"a GUID of zeros":                  {"authentication", "{msiClientId: 00000000-0000-0000-0000-000000000000}", "is a GUID of zeros"},
		"the names that are right":         {"accounts", `['NT AUTHORITY\NETWORK SERVICE', 'S-1-5-20', 'IIS AppPool\a,b']`, ""},
		"nothing wrong":                    {"nodeSelector", "{matchLabels: {pool: win}, matchExpressions: [{key: pool, operator: Exists}, {key: a, operator: In, values: [b]}]}", ""},
		"an interval that has none":        {"pollingIntervalInS", "null", ""},
		"a version and a port":             {"url", "https://V.vault.azure.net:443/secrets/A/0123456789abcdef0123456789ABCDEF", ""},
	} {
		t.Run(name, func(t *testing.T) {
			spec := map[string]any{"url": "https://v.vault.azure.net/secrets/a"}
			var value any
			if err := yaml.Unmarshal([]byte(test.value), &value); err != nil {
				t.Fatal(err)
			}
			spec[test.field] = value
			values, err := yaml.Marshal(map[string]any{"certificates": map[string]any{"web": spec}})
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join(t.TempDir(), "values.yaml")
			write(t, file, string(values))
			_, err = run(t, "template", "vaultpane", chart, "--values", file)
			compareSaid(t, "the chart", err, test.says)
			object, err := yaml.Marshal(map[string]any{"apiVersion": "vaultpane.dev/v1alpha1", "kind": "ObservedCertificate", "metadata": map[string]any{"name": "web"}, "spec": spec})
			if err != nil {
				t.Fatal(err)
			}
			says, err := kubectl(plane, string(object), "apply", "--dry-run=server", "-f", "-")
			if err != nil {
				err = errors.New(says)
			}
			compareSaid(t, "the API server", err, test.says)
		})
	}
}

func compareSaid(t *testing.T, speaker string, err error, says string) {
	t.Helper()
	if (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
		t.Errorf("%s says %v, want %q", speaker, err, says)
	}
}

// TestTheChartKnowsTheAgentsVaults compares the domains of Key Vault in the chart with the agent's allow-list.
func TestTheChartKnowsTheAgentsVaults(t *testing.T) {
	source, err := os.ReadFile("../internal/keyvault/allowlist.go")
	if err != nil {
		t.Fatal(err)
	}
	domains := regexp.MustCompile(`DefaultAllowedHosts = .*\{(.*)\}`).FindStringSubmatch(string(source))
	if domains == nil {
		t.Fatal("allowlist.go has no DefaultAllowedHosts")
	}
	template, err := os.ReadFile(filepath.Join(chart, "templates", "_certificates.tpl"))
	if err != nil {
		t.Fatal(err)
	}
	if want := "(list " + strings.ReplaceAll(domains[1], ",", "") + ")"; !strings.Contains(string(template), want) {
		t.Errorf("the chart does not have %s", want)
	}
}
