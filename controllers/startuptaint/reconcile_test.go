package startuptaint_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	corev1 "k8s.io/api/core/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestTheTaintRemainsUntilRequiredCertificatesAreInstalled(t *testing.T) {
	h, ctx := newHarness(t), t.Context()
	must(t, h.require(ctx, "web"))
	must(t, h.require(ctx, "sql", func(s *v1alpha1.ObservedCertificateSpec) {
		s.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": "sql"}}
	}))
	node := h.add("n", startup)
	h.expectTaints("before a report", "n", ours)
	earlier := node.DeepCopy()
	earlier.UID = "of-an-earlier-node"
	must(t, h.report(ctx, earlier, installed("web", 1)))
	h.expectTaints("after the report of an earlier node of that name", "n", ours)
	must(t, h.report(ctx, node))
	h.expectTaints("after a report without the certificate", "n", ours)
	must(t, h.report(ctx, node, failing("web", "AccessDenied")))
	h.expectTaints("after the certificate failed", "n", ours)
	must(t, h.change(ctx, "web", func(s *v1alpha1.ObservedCertificateSpec) { s.KeyExportable = true }))
	must(t, h.report(ctx, node, installed("web", 1)))
	h.expectTaints("after it was installed for the previous spec", "n", ours)
	must(t, h.require(ctx, "api"))
	must(t, h.report(ctx, node, installed("web", 2)))
	h.expectTaints("after another certificate is required", "n", ours)
	must(t, h.report(ctx, node, installed("api", 1), installed("web", 2)))
	h.expectTaints("after all were installed", "n")
	must(t, h.require(ctx, "late"))
	h.expectTaints("after one was required too late", "n")
	if list := h.stored("n").Spec.Taints; list != nil {
		t.Errorf("the node has the list %v, want none", list)
	}
}

func TestNothingIsRequired(t *testing.T) {
	h := newHarness(t)
	must(t, h.require(t.Context(), "web", func(s *v1alpha1.ObservedCertificateSpec) { s.RequireInitialSync = false }))
	node := h.add("n", startup)
	h.expectTaints("before a report", "n", ours)
	must(t, h.report(t.Context(), node, failing("web", "AccessDenied")))
	h.expectTaints("after the first report", "n")
}

func TestOtherTaintsRemain(t *testing.T) {
	h := newHarness(t)
	must(t, h.report(t.Context(), h.add("n", gpu, startup, leaving, evicts, scaled)))
	h.expectTaints("ready", "n", "sku=gpu:NoSchedule", "example.com/leaving:NoExecute@2027-01-15T08:00:00Z")
	if h.patches != 1 {
		t.Errorf("that took %d patches, want 1", h.patches)
	}
}

func TestATaintThatIsAddedAgainIsRemovedAgain(t *testing.T) {
	h := newHarness(t)
	must(t, h.report(t.Context(), h.add("n", startup)))
	h.expectTaints("ready", "n")
	must(t, h.setTaints(t.Context(), "n", adding(startup)))
	h.expectTaints("added again", "n")
	if got := len(h.events); got != 2 {
		t.Errorf("there are %d events, want one for each removal: %q", got, h.events)
	}
}

func TestAnOutdatedCacheCausesNoSecondRemoval(t *testing.T) {
	h := newHarness(t)
	must(t, h.report(t.Context(), h.add("n", startup)))
	before := h.stored("n")
	h.expectTaints("ready", "n")
	h.old = before
	for range 3 {
		h.expectTaints("reconciled again with an outdated cache", "n")
	}
	if h.patches != 1 || len(h.events) != 1 {
		t.Errorf("there were %d patches and the events %q, want one of each", h.patches, h.events)
	}
	if count := testutil.CollectAndCount(h.registry, "vaultpane_startup_taint_wait_seconds"); count != 1 {
		t.Errorf("the histogram has %d series, want 1", count)
	}
}

func TestOtherClientsChangedTheTaintsAndTheCacheIsOutdated(t *testing.T) {
	h := newHarness(t)
	must(t, h.report(t.Context(), h.add("n", startup, gpu)))
	h.old = h.stored("n")
	must(t, h.setTaints(t.Context(), "n", func([]corev1.Taint) []corev1.Taint { return []corev1.Taint{leaving, startup} }))
	h.expectTaints("after the taints changed", "n", "example.com/leaving:NoExecute@2027-01-15T08:00:00Z")

	must(t, h.report(t.Context(), h.add("m", startup)))
	h.old = h.stored("m")
	must(t, h.setTaints(t.Context(), "m", func([]corev1.Taint) []corev1.Taint { return nil }))
	h.expectTaints("after another client removed it", "m")
	if len(h.events) != 1 {
		t.Errorf("the events are %q, want the one of our own removal", h.events)
	}
}

func TestOtherClientsAreFasterEachTime(t *testing.T) {
	h := newHarness(t)
	must(t, h.report(t.Context(), h.add("n", startup)))
	h.beforePatch = func() {
		must(t, h.setTaints(t.Context(), "n", adding(corev1.Taint{Key: "example.com/busy", Value: strconv.Itoa(h.patches), Effect: corev1.TaintEffectNoSchedule})))
	}
	result, err := h.reconciler.Reconcile(t.Context(), requestFor("n"))
	if err != nil || result.RequeueAfter <= 0 || result.RequeueAfter > time.Second {
		t.Errorf("got error %v and RequeueAfter %s, want no error and at most a second", err, result.RequeueAfter)
	}
	if h.patches != 5 {
		t.Errorf("it tried %d times, want 5", h.patches)
	}
	h.beforePatch = nil
	h.expectTaints("when the other clients are done", "n", "example.com/busy=5:NoSchedule")
}

func TestAnotherNodeOfThatNameKeepsItsTaint(t *testing.T) {
	h := newHarness(t)
	node := h.add("n", startup)
	must(t, h.report(t.Context(), node))
	h.old = h.stored("n")
	must(t, h.kube.Delete(t.Context(), node))
	h.add("n", startup)
	h.expectTaints("created again", "n", ours)
	must(t, h.kube.Delete(t.Context(), node))
	if _, err := h.reconciler.Reconcile(t.Context(), requestFor("n")); err != nil {
		t.Errorf("a deleted node returns the error %v", err)
	}
	if len(h.events) != 0 {
		t.Errorf("the events are %q", h.events)
	}
}
