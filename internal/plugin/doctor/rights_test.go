package doctor_test

import (
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/internal/plugin/cluster"
	"github.com/vaultpane/vaultpane/internal/plugin/doctor"
)

func testRole(t *testing.T, h *hospital) {
	t.Helper()
	h.kubectl(t, "apply", "-f", "config/samples/plugin-reader.yaml")
	h.kubectl(t, "create", "clusterrolebinding", "reader", "--clusterrole=vaultpane-plugin-reader", "--user=reader")
	for _, found := range doctor.Check(h.read(t, h.as(t, "reader"))) {
		if found.Level != doctor.OK {
			t.Errorf("%s: %s: %s", found.Level, found.Check, found.Text)
		}
	}
}

func testWithoutRights(t *testing.T, h *hospital) {
	t.Helper()
	defer h.report(t, "win-1")
	h.kubectl(t, "apply", "-f", "config/rbac/view")
	h.kubectl(t, "create", "clusterrolebinding", "viewer", "--clusterrole=vaultpane-view", "--user=viewer")
	h.report(t, "win-1", entryFailed)
	findings := doctor.Check(h.read(t, h.as(t, "viewer")))
	var rights, polls []string
	for _, found := range findings {
		switch found.Check {
		case "rights":
			rights = append(rights, found.Text+found.Command)
		case "polls":
			polls = append(polls, found.Text)
		}
	}
	said := strings.Join(rights, "\n")
	for _, want := range []string{"get and list on pods", "get and list on nodes", "get and list on daemonsets and deployments", "cannot check heartbeats, controller", "kubectl auth can-i list pods --namespace vaultpane-system"} {
		if !strings.Contains(said, want) {
			t.Errorf("no finding says %q:\n%s", want, said)
		}
	}
	if len(polls) != 1 || !strings.Contains(polls[0], "AccessDenied") {
		t.Errorf("the check of polls says %q", polls)
	}
}

func testOneNode(t *testing.T, h *hospital) {
	t.Helper()
	defer func() { h.report(t, "win-1"); h.kubectl(t, "delete", "obscert", "sql") }()
	h.report(t, "win-1", entryFailed)
	h.certificate(t, "sql", "https://shop.vault.azure.net/secrets/sql", forPool("sql"))
	api, err := cluster.NewClient(h.plane.Config())
	h.must(t, err)
	for node, wanted := range map[string]int{"win-1": 1, "win-2": 0} {
		snapshot := h.read(t, api)
		if !snapshot.Only(node) {
			t.Fatalf("there is no node %s", node)
		}
		problems := 0
		for _, found := range doctor.Check(snapshot) {
			if found.Level != doctor.OK {
				problems++
				t.Logf("%s: %s: %s: %s", node, found.Level, found.Check, found.Text)
			}
		}
		if problems != wanted {
			t.Errorf("%s has %d findings, want %d", node, problems, wanted)
		}
	}
	if h.read(t, api).Only("win-3") {
		t.Error("a node that does not exist was found")
	}
}
