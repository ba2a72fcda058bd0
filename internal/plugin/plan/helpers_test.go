package plan_test

import (
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/plan"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
	"github.com/vaultpane/vaultpane/internal/settings"
	"github.com/vaultpane/vaultpane/test/await"
)

// planned returns the text of the plan for files.
func planned(t *testing.T, client *cluster.Client) string {
	t.Helper()
	reader, err := settings.NewReader()
	if err != nil {
		t.Fatal(err)
	}
	file, err := reader.Read("files.yaml", []byte(files))
	if err != nil {
		t.Fatal(err)
	}
	state, err := plan.Read(t.Context(), client, "", file.Certificates)
	if err != nil {
		t.Fatal(err)
	}
	return plan.Text(plan.Make(state, file.Certificates), state.Unread, terminal.Style{})
}

// awaitPolicy waits until the API server applies the policy, which takes a moment.
func awaitPolicy(t *testing.T, kubectl func(string, ...string) (string, error)) {
	t.Helper()
	const probe = `{"apiVersion": "vaultpane.dev/v1alpha1", "kind": "ObservedCertificate", "metadata": {"name": "probe"},
		"spec": {"url": "https://shop.vault.azure.net/secrets/probe", "linkOnRenewal": true}}`
	await.That(t, "the policy is applied", func() (bool, error) {
		output, err := kubectl(probe, "create", "--dry-run=server", "-f", "-")
		return err != nil && strings.Contains(output, "links are not allowed here"), nil
	})
}
