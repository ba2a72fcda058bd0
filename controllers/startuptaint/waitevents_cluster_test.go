package startuptaint_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

func TestTheEventsOfAWaitingNode(t *testing.T) {
	h, ctx := newHarness(t), t.Context()
	h.reconciler.RunsAgent = labels.SelectorFromSet(labels.Set{"pool": "web"})
	node := h.add("n", startup)
	h.now = node.CreationTimestamp.Time
	must(t, h.require(ctx, "web"))
	persists := func() { // long enough for an event
		h.reconcile("n")
		h.now = h.now.Add(time.Minute)
		h.reconcile("n")
		h.reconcile("n")
	}
	persists()
	must(t, h.report(ctx, node, failing("web", "AccessDenied")))
	persists()
	h.refusal = apierrors.NewForbidden(schema.GroupResource{Resource: "nodes"}, "n", fmt.Errorf("taints of the node pool API cannot be changed"))
	must(t, h.report(ctx, node, installed("web", 1)))
	for range 3 {
		if _, err := h.reconciler.Reconcile(ctx, requestFor("n")); err == nil || !strings.Contains(err.Error(), "of the node pool API") {
			t.Errorf("a refused removal returns the error %v", err)
		}
		h.now = h.now.Add(time.Minute)
	}
	h.refusal = nil
	h.expectTaints("after it is not refused any more", "n")

	elsewhere := h.stored("n").DeepCopy()
	elsewhere.Name, elsewhere.ResourceVersion, elsewhere.UID, elsewhere.Labels = "linux", "", "", nil
	elsewhere.Spec.Taints = []corev1.Taint{startup}
	must(t, h.kube.Create(ctx, elsewhere))
	h.reconcile("linux")
	h.now = h.now.Add(time.Minute)
	h.reconcile("linux")

	want := []string{
		"n: Normal WaitingForAgent: the startup taint remains: the node waits for the first report of this node's agent; if this persists, check the agent's pod on the node",
		"n: Warning WaitingForCertificates about web: the startup taint remains: the node waits for ObservedCertificate web (AccessDenied: https://shop.vault.azure.net returns 403)",
		`n: Warning StartupTaintRemovalRefused: the startup taint remains although the node is ready: removing the startup taint of Node n: nodes "n" is forbidden: taints of the node pool API cannot be changed`,
		"n: Normal StartupTaintRemoved: removed the startup taint 5m0s after the node was created",
		"linux: Warning WaitingForAgent: the startup taint remains: the node waits for the first report of an agent, but no agent runs on nodes with these labels: set the taint only on nodes that run the agent, or change the agent's node selector",
	}
	if diff := cmp.Diff(want, h.events); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestTheMetricsCountNodesByWhatTheyWaitFor(t *testing.T) {
	h, ctx := newHarness(t), t.Context()
	must(t, h.require(ctx, "web"))
	h.add("no-report", startup)
	h.add("no-report-evicts", evicts)
	must(t, h.report(ctx, h.add("waiting", startup), failing("web", "AccessDenied")))
	must(t, h.report(ctx, h.add("ready", scaled), installed("web", 1)))
	h.add("other", gpu)
	h.count("before", 2, 1, 1, 0)
	h.reconcile("ready")
	h.count("after a removal", 2, 1, 0, 1)
}

// count compares the metrics.
func (h *harness) count(when string, agent, certificates, nothing, removals int) {
	h.t.Helper()
	want := fmt.Sprintf(`
# HELP vaultpane_startup_taint_nodes Nodes that have the startup taint, by what they wait for: agent (its first report), certificates, or nothing (it is being removed).
# TYPE vaultpane_startup_taint_nodes gauge
vaultpane_startup_taint_nodes{waiting_for="agent"} %d
vaultpane_startup_taint_nodes{waiting_for="certificates"} %d
vaultpane_startup_taint_nodes{waiting_for="nothing"} %d
# HELP vaultpane_startup_taint_removals_total Startup taints removed from nodes.
# TYPE vaultpane_startup_taint_removals_total counter
vaultpane_startup_taint_removals_total %d
`, agent, certificates, nothing, removals)
	err := testutil.GatherAndCompare(h.registry, strings.NewReader(want), "vaultpane_startup_taint_nodes", "vaultpane_startup_taint_removals_total")
	if err != nil {
		h.t.Errorf("%s: %v", when, err)
	}
}
