package charts_test

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestTheNotesFitTheValues checks the notes that helm install prints.
func TestTheNotesFitTheValues(t *testing.T) {
	const (
		identity = "choose one with azure.clientId"
		label    = "kubectl label namespace vaultpane-system --overwrite pod-security.kubernetes.io/enforce=privileged"
		windows  = "daemonset/vaultpane-agent "
		linux    = "daemonset/vaultpane-agent-linux "
	)
	for name, test := range map[string]struct{ has, hasNot []string }{
		"default":          {has: []string{identity, label, windows, "kubectl apply -f -"}, hasNot: []string{linux, "policies.enabled"}},
		"linux-only":       {has: []string{label, linux}, hasNot: []string{windows}},
		"linux":            {has: []string{label, windows, linux}},
		"extension-3x":     {hasNot: []string{identity, "kubectl apply"}}, // each certificate names its identity
		"managed-identity": {hasNot: []string{identity}},
		"trust":            {has: []string{label, windows}, hasNot: []string{identity}}, // no certificate is in a vault
		"minimal":          {has: []string{"policies.enabled"}},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := run(t, "install", "vaultpane", chart, "--dry-run=client", "--namespace", namespace, "--values", filepath.Join("testdata", "values", name+".yaml"))
			if err != nil {
				t.Fatal(err)
			}
			_, notes, _ := strings.Cut(said, "\nNOTES:\n")
			for _, text := range test.has {
				if !strings.Contains(notes, text) {
					t.Errorf("the notes lack %q:\n%s", text, notes)
				}
			}
			for _, text := range test.hasNot {
				if strings.Contains(notes, text) {
					t.Errorf("the notes say %q:\n%s", text, notes)
				}
			}
		})
	}
}
