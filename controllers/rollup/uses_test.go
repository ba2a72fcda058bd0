package rollup_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestProgramsAreCountedForTheirNodes(t *testing.T) {
	f := newFleet(t, forTest(t))
	nodes := f.join(1, 3)
	f.observe(func(s *v1alpha1.ObservedCertificateSpec) {
		s.UsedBy = []v1alpha1.Use{{RemoteDesktop: &v1alpha1.RemoteDesktopUse{}}, {HTTPSys: &v1alpha1.HTTPSysUse{IPPort: "0.0.0.0:443"}}}
	})
	using := func(entry v1alpha1.CertificateEntry, rdp, site v1alpha1.UseState) v1alpha1.CertificateEntry {
		rdp.Name, site.Name = "remoteDesktop", "httpSys 0.0.0.0:443"
		entry.Uses = []v1alpha1.UseState{rdp, site}
		return entry
	}
	bound, pending := v1alpha1.UseState{State: v1alpha1.UseBound}, v1alpha1.UseState{State: v1alpha1.UsePending, Reason: v1alpha1.ReasonPending}
	foreign := v1alpha1.UseState{State: v1alpha1.UseFailed, Reason: v1alpha1.ReasonUsesAnother, Message: "it has the certificate F0F0, and is left alone"}
	failing := using(version(1), bound, foreign)
	failing.Reason, failing.Message = v1alpha1.ReasonUseFailed, "httpSys 0.0.0.0:443: "+foreign.Message
	f.report(nodes[:1], using(version(1), bound, bound))
	f.report(nodes[1:2], failing)
	f.report(nodes[2:], using(version(1), bound, pending))
	f.eventually("v1 3/3 True Installed") // a program's failure does not make the certificate not installed
	f.condition(v1alpha1.ConditionUseFailed, "True UseFailed", "1 of 3 nodes", nodes[1]+": httpSys 0.0.0.0:443: it has the certificate F0F0")
	want := []v1alpha1.UseCounts{{Name: "remoteDesktop", Bound: 3}, {Name: "httpSys 0.0.0.0:443", Bound: 1, Pending: 1, Failed: 1}}
	if diff := cmp.Diff(want, f.get().Status.Uses); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	f.eventuallyEvents(map[string]int{"RolloutStarted": 1, "RolloutCompleted": 1, "UseFailed": 1})

	f.report(nodes[1:], using(version(1), bound, bound))
	f.condition(v1alpha1.ConditionUseFailed, "False NoneFailed")
	certificate := f.get()
	certificate.Spec.UsedBy = nil
	f.do(f.kube.Update(t.Context(), certificate))
	certificate = f.eventually("v1 0/3 Unknown RollingOut")
	if len(certificate.Status.Uses) != 0 {
		t.Errorf("without usedBy, the status counts %+v", certificate.Status.Uses)
	}
	for _, condition := range certificate.Status.Conditions {
		if condition.Type == v1alpha1.ConditionUseFailed {
			t.Errorf("without usedBy, the condition is %+v", condition)
		}
	}
}
