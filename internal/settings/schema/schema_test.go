package schema

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const url = "https://myvault.vault.azure.net/secrets/web"

func object(spec any) map[string]any {
	return map[string]any{"apiVersion": "vaultpane.dev/v1alpha1", "kind": "ObservedCertificate", "metadata": map[string]any{"name": "web"}, "spec": spec}
}

// TestRulesAreTheAPIServers has the API server's words for one case of each kind. TestTheAPIServer in api/v1alpha1 compares
// many more with a real one.
func TestRulesAreTheAPIServers(t *testing.T) {
	rules, err := New()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		spec any
		want []string
	}{
		{"valid", map[string]any{"url": url}, nil},
		{"no spec", nil, []string{`spec: Required value`}},
		{"required", map[string]any{"certificateStoreName": "Root", "configMap": map[string]any{"name": "corporate"}}, []string{`spec.configMap.key: Required value`}},
		{"a ConfigMap", map[string]any{"certificateStoreName": "Root", "configMap": map[string]any{"name": "corporate", "key": "ca.crt"}}, nil},
		{"rule of several fields", map[string]any{}, []string{`spec.url: Invalid value: is required: the URL of a secret in Key Vault, as in https://myvault.vault.azure.net/secrets/mycertificate; for certificates of authorities in the cluster, configMap takes its place`}},
		{"type", map[string]any{"url": int64(5)}, []string{`spec.url: Invalid value: "integer": spec.url in body must be of type string: "integer"`}},
		{"enum", map[string]any{"url": url, "deletionPolicy": "Remove"}, []string{`spec.deletionPolicy: Unsupported value: "Remove": supported values: "Retain", "Delete"`}},
		{"set", map[string]any{"url": url, "accounts": []any{"a", "a"}}, []string{`spec.accounts[1]: Duplicate value: "a"`}},
		{"rule of a field", map[string]any{"url": url, "pollingIntervalInS": int64(5)}, []string{`spec.pollingIntervalInS: Invalid value: 5: must be at least 30 seconds, to limit the number of requests to Key Vault`}},
		{"rule of an item", map[string]any{"url": url, "accounts": []any{"a;b"}}, []string{`spec.accounts[0]: Invalid value: "a;b": contains several accounts in one string; write each as an entry of its own`}},
		{"no rules while a type is wrong", map[string]any{"url": "http://a", "suspend": "yes"}, []string{`spec.suspend: Invalid value: "string": spec.suspend in body must be of type boolean: "string"`}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			object := object(test.spec)
			rules.Complete(object)
			var got []string
			for _, failure := range rules.Validate(t.Context(), object) {
				got = append(got, failure.Error())
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestUnknownFieldsAreNamedAndDefaultsSet(t *testing.T) {
	rules, err := New()
	if err != nil {
		t.Fatal(err)
	}
	got := object(map[string]any{
		"url": url, "URL": "x", "accounts": nil, "certificateStoreName": nil,
		"nodeSelector": map[string]any{"os": "windows", "matchExpressions": []any{map[string]any{"key": "a", "operator": "Exists", "value": "b"}}},
	})
	got["specs"] = 5
	unknown := rules.Complete(got)
	if want := []string{"spec.URL", "spec.nodeSelector.matchExpressions[0].value", "spec.nodeSelector.os", "specs"}; !slices.Equal(unknown, want) {
		t.Errorf("unknown are %q, want %q", unknown, want)
	}
	want := object(map[string]any{
		"url": url, "certificateStoreName": "MY", "certificateStoreLocation": "LocalMachine", "pollingIntervalInS": int64(3600), "deletionPolicy": "Retain",
		"nodeSelector": map[string]any{"matchExpressions": []any{map[string]any{"key": "a", "operator": "Exists"}}},
	})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFieldsOfAPath(t *testing.T) {
	rules, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{
		"":                                      {"apiVersion", "kind", "metadata", "spec", "status"},
		"spec.authentication":                   {"msiClientId"},
		"spec.nodeSelector":                     {"matchExpressions", "matchLabels"},
		"spec.none":                             nil,
		"spec.url":                              nil,
		"spec.url.more":                         nil,
		"spec.accounts[0]":                      nil,
		"spec.accounts[0].more":                 nil,
		"spec.nodeSelector.matchExpressions[0]": {"key", "operator", "values"},
	} {
		if got := rules.Fields(path); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("%q has the fields %q, want %q", path, got, want)
		}
	}
}
