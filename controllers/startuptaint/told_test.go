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

func TestWhatANodeWaitsForIsTold(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	d.reconciler.RunsAgent = labels.SelectorFromSet(labels.Set{"pool": "web"})
	node := d.add("n", startup)
	d.now = node.CreationTimestamp.Time
	must(t, d.require(ctx, "web"))
	stands := func() { // long enough to be told
		d.look("n")
		d.now = d.now.Add(time.Minute)
		d.look("n")
		d.look("n")
	}
	stands()
	must(t, d.report(ctx, node, failing("web", "AccessDenied")))
	stands()
	d.refusal = apierrors.NewForbidden(schema.GroupResource{Resource: "nodes"}, "n", fmt.Errorf("taints of the node pool API cannot be changed"))
	must(t, d.report(ctx, node, installed("web", 1)))
	for range 3 {
		if _, err := d.reconciler.Reconcile(ctx, requestFor("n")); err == nil || !strings.Contains(err.Error(), "of the node pool API") {
			t.Errorf("a refused removal gives the error %v", err)
		}
		d.now = d.now.Add(time.Minute)
	}
	d.refusal = nil
	d.leaves("at last", "n")

	elsewhere := d.stored("n").DeepCopy()
	elsewhere.Name, elsewhere.ResourceVersion, elsewhere.UID, elsewhere.Labels = "linux", "", "", nil
	elsewhere.Spec.Taints = []corev1.Taint{startup}
	must(t, d.kube.Create(ctx, elsewhere))
	d.look("linux")
	d.now = d.now.Add(time.Minute)
	d.look("linux")

	want := []string{
		"n: Normal WaitingForAgent: the startup taint stays: the node waits for the first report of this node's agent; if that lasts, look at the agent's pod on it",
		"n: Warning WaitingForCertificates about web: the startup taint stays: the node waits for ObservedCertificate web (AccessDenied: https://shop.vault.azure.net answers 403)",
		`n: Warning StartupTaintRemovalRefused: the startup taint stays although the node is ready: removing the startup taint of Node n: nodes "n" is forbidden: taints of the node pool API cannot be changed`,
		"n: Normal StartupTaintRemoved: removed the startup taint 5m0s after the node was created",
		"linux: Warning WaitingForAgent: the startup taint stays: the node waits for the first report of an agent, but no agent runs on nodes with these labels: put the taint on Windows nodes with an agent only, or change the agent's node selector",
	}
	if diff := cmp.Diff(want, d.events); diff != "" {
		t.Errorf("the events differ (-want +got):\n%s", diff)
	}
}

func TestTheMetricsCountNodesByWhatTheyWaitFor(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	must(t, d.require(ctx, "web"))
	d.add("silent", startup)
	d.add("mute", evicts)
	must(t, d.report(ctx, d.add("waiting", startup), failing("web", "AccessDenied")))
	must(t, d.report(ctx, d.add("ready", scaled), installed("web", 1)))
	d.add("other", gpu)
	d.count("before", 2, 1, 1, 0)
	d.look("ready")
	d.count("after a removal", 2, 1, 0, 1)
}

// count compares the metrics.
func (d *desk) count(when string, agent, certificates, nothing, removals int) {
	d.t.Helper()
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
	err := testutil.GatherAndCompare(d.registry, strings.NewReader(want), "vaultpane_startup_taint_nodes", "vaultpane_startup_taint_removals_total")
	if err != nil {
		d.t.Errorf("%s: %v", when, err)
	}
}
