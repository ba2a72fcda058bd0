package startuptaint_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	corev1 "k8s.io/api/core/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestTheTaintStaysUntilWhatIsRequiredIsInstalled(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	must(t, d.require(ctx, "web"))
	must(t, d.require(ctx, "sql", func(s *v1alpha1.ObservedCertificateSpec) {
		s.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": "sql"}}
	}))
	node := d.add("n", startup)
	d.leaves("before a report", "n", ours)
	earlier := node.DeepCopy()
	earlier.UID = "of-an-earlier-node"
	must(t, d.report(ctx, earlier, installed("web", 1)))
	d.leaves("after the report of an earlier node of that name", "n", ours)
	must(t, d.report(ctx, node))
	d.leaves("after a report without the certificate", "n", ours)
	must(t, d.report(ctx, node, failing("web", "AccessDenied")))
	d.leaves("after the certificate failed", "n", ours)
	must(t, d.change(ctx, "web", func(s *v1alpha1.ObservedCertificateSpec) { s.KeyExportable = true }))
	must(t, d.report(ctx, node, installed("web", 1)))
	d.leaves("after it was installed as the spec was", "n", ours)
	must(t, d.require(ctx, "api"))
	must(t, d.report(ctx, node, installed("web", 2)))
	d.leaves("after another one came to be required", "n", ours)
	must(t, d.report(ctx, node, installed("api", 1), installed("web", 2)))
	d.leaves("after all were installed", "n")
	must(t, d.require(ctx, "late"))
	d.leaves("after one was required too late", "n")
	if list := d.stored("n").Spec.Taints; list != nil {
		t.Errorf("the node has the list %v, want none at all", list)
	}
}

func TestNothingIsRequired(t *testing.T) {
	d := newDesk(t)
	must(t, d.require(t.Context(), "web", func(s *v1alpha1.ObservedCertificateSpec) { s.RequireInitialSync = false }))
	node := d.add("n", startup)
	d.leaves("before a report", "n", ours)
	must(t, d.report(t.Context(), node, failing("web", "AccessDenied")))
	d.leaves("after the first report", "n")
}

func TestOtherTaintsStayAsTheyAre(t *testing.T) {
	d := newDesk(t)
	must(t, d.report(t.Context(), d.add("n", gpu, startup, leaving, evicts, scaled)))
	d.leaves("ready", "n", "sku=gpu:NoSchedule", "example.com/leaving:NoExecute@2027-01-15T08:00:00Z")
	if d.patches != 1 {
		t.Errorf("that took %d patches, want 1", d.patches)
	}
}

func TestATaintThatIsPutBackIsRemovedAgain(t *testing.T) {
	d := newDesk(t)
	must(t, d.report(t.Context(), d.add("n", startup)))
	d.leaves("ready", "n")
	must(t, d.setTaints(t.Context(), "n", adding(startup)))
	d.leaves("put back", "n")
	if got := len(d.events); got != 2 {
		t.Errorf("there are %d events, want one for each removal: %q", got, d.events)
	}
}

func TestACacheThatIsBehindCausesNoSecondRemoval(t *testing.T) {
	d := newDesk(t)
	must(t, d.report(t.Context(), d.add("n", startup)))
	before := d.stored("n")
	d.leaves("ready", "n")
	d.old = before
	for range 3 {
		d.leaves("looked at again in an old cache", "n")
	}
	if d.patches != 1 || len(d.events) != 1 {
		t.Errorf("there were %d patches and the events %q, want one of each", d.patches, d.events)
	}
	if count := testutil.CollectAndCount(d.registry, "vaultpane_startup_taint_wait_seconds"); count != 1 {
		t.Errorf("the histogram has %d series, want 1", count)
	}
}

func TestTheCacheIsBehindOthersWhoChangedTheTaints(t *testing.T) {
	d := newDesk(t)
	must(t, d.report(t.Context(), d.add("n", startup, gpu)))
	d.old = d.stored("n")
	must(t, d.setTaints(t.Context(), "n", func([]corev1.Taint) []corev1.Taint { return []corev1.Taint{leaving, startup} }))
	d.leaves("after the taints changed", "n", "example.com/leaving:NoExecute@2027-01-15T08:00:00Z")

	must(t, d.report(t.Context(), d.add("m", startup)))
	d.old = d.stored("m")
	must(t, d.setTaints(t.Context(), "m", func([]corev1.Taint) []corev1.Taint { return nil }))
	d.leaves("after somebody else removed it", "m")
	if len(d.events) != 1 {
		t.Errorf("the events are %q, want the one of our own removal", d.events)
	}
}

func TestOthersAreFasterEachTime(t *testing.T) {
	d := newDesk(t)
	must(t, d.report(t.Context(), d.add("n", startup)))
	d.faster = func() {
		must(t, d.setTaints(t.Context(), "n", adding(corev1.Taint{Key: "example.com/busy", Value: strconv.Itoa(d.patches), Effect: corev1.TaintEffectNoSchedule})))
	}
	result, err := d.reconciler.Reconcile(t.Context(), requestFor("n"))
	if err != nil || result.RequeueAfter <= 0 || result.RequeueAfter > time.Second {
		t.Errorf("it gave the error %v and looks again in %s, want no error and soon", err, result.RequeueAfter)
	}
	if d.patches != 5 {
		t.Errorf("it tried %d times, want 5", d.patches)
	}
	d.faster = nil
	d.leaves("when the others are done", "n", "example.com/busy=5:NoSchedule")
}

func TestAnotherNodeOfThatNameKeepsItsTaint(t *testing.T) {
	d := newDesk(t)
	node := d.add("n", startup)
	must(t, d.report(t.Context(), node))
	d.old = d.stored("n")
	must(t, d.kube.Delete(t.Context(), node))
	d.add("n", startup)
	d.leaves("made anew", "n", ours)
	must(t, d.kube.Delete(t.Context(), node))
	if _, err := d.reconciler.Reconcile(t.Context(), requestFor("n")); err != nil {
		t.Errorf("a node that is gone gives the error %v", err)
	}
	if len(d.events) != 0 {
		t.Errorf("the events are %q", d.events)
	}
}
