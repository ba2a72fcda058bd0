package agent_test

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// acted waits until the node reports that it acted on a request, empty for none.
func (m *machine) acted(name, value string) v1alpha1.CertificateEntry {
	m.t.Helper()
	return m.reported(name, "with the request "+value, func(e *v1alpha1.CertificateEntry) bool { return e.RequestedAt == value })
}

func (m *machine) sawRequests(name string, want int) {
	m.t.Helper()
	if got := m.requests(name); got != want {
		m.t.Errorf("the vault saw %d requests for %s, want %d", got, name, want)
	}
}

func TestARequestIsActedOnOncePerValue(t *testing.T) {
	m := newMachine(t, "request")
	const asked, later = "2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z"
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", first)
	second := m.rotate("web")
	m.annotate("web", v1alpha1.RequestedAtAnnotation, asked)
	m.installed("web", second)
	m.acted("web", asked)
	m.sawRequests("web", 2)

	m.reconcilesAgain("web") // the value is unchanged
	m.stop()
	m.start()
	m.reconcilesAgain("web")
	m.sawRequests("web", 2)
	m.annotate("web", v1alpha1.RequestedAtAnnotation, later)
	m.acted("web", later)
	m.sawRequests("web", 3)

	m.annotate("web", v1alpha1.RequestedAtAnnotation, "") // and again with the same value
	m.acted("web", "")
	m.sawRequests("web", 3)
	third := m.rotate("web")
	m.annotate("web", v1alpha1.RequestedAtAnnotation, later)
	m.installed("web", third)
	m.sawRequests("web", 4)
}

func TestARequestRemovedWhileTheAgentDidNotRunCountsWhenItIsRepeated(t *testing.T) {
	m := newMachine(t, "request-away")
	const asked = "2026-11-23T12:00:00Z"
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.annotate("web", v1alpha1.RequestedAtAnnotation, asked)
	m.installed("web", web)
	m.acted("web", asked)
	before := m.requests("web")
	m.stop()
	m.annotate("web", v1alpha1.RequestedAtAnnotation, "")
	m.start()
	m.acted("web", "")
	m.sawRequests("web", before)
	m.annotate("web", v1alpha1.RequestedAtAnnotation, asked)
	m.acted("web", asked)
	m.sawRequests("web", before+1)
}

func TestOnlyTheSpecAndTheRequestMakeAPoll(t *testing.T) {
	m := newMachine(t, "annotation")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", web)
	m.annotate("web", "reconcile.fluxcd.io/requestedAt", "2026-11-23T12:00:00Z")
	m.change("web", func(certificate *v1alpha1.ObservedCertificate) {
		metav1.SetMetaDataLabel(&certificate.ObjectMeta, "team", "shop")
	})
	if !withFiles {
		m.writeStatus("web")
	}

	witness := m.put("witness", vaulttest.CertificateOptions{})
	m.create("witness")
	m.annotate("witness", v1alpha1.RequestedAtAnnotation, "2026-11-23T12:00:00Z")
	m.installed("witness", witness) // created after them, so the agent has processed them
	m.reconcilesAgain("web")
	m.sawRequests("web", 1)
}

// writeStatus writes a status as the controller does.
func (m *machine) writeStatus(name string) {
	m.t.Helper()
	m.eventually("the status is taken", func() (bool, error) {
		var certificate v1alpha1.ObservedCertificate
		if err := m.kube.Get(m.t.Context(), client.ObjectKey{Name: m.full(name)}, &certificate); err != nil {
			return false, err
		}
		certificate.Status.ObservedGeneration = certificate.Generation
		certificate.Status.Nodes = &v1alpha1.NodeCounts{Matched: 1, Installed: 1, Summary: "1/1"}
		return true, m.kube.Status().Update(m.t.Context(), &certificate)
	})
}

func TestASuspendedCertificateIsNotChangedUntilItIsResumed(t *testing.T) {
	m := newMachine(t, "suspend")
	never, web := m.put("never", vaulttest.CertificateOptions{}), m.put("web", vaulttest.CertificateOptions{})
	m.create("never", suspended)
	m.create("web")
	m.installed("web", web)
	m.fails("never", v1alpha1.ReasonSuspended)

	m.changeSpec("web", suspended)
	entry := m.fails("web", v1alpha1.ReasonSuspended)
	if entry.State != v1alpha1.StateSuspended || entry.Thumbprint != web {
		t.Errorf("the node reports %+v, want Suspended with what is installed", entry)
	}
	second := m.rotate("web")
	m.annotate("web", v1alpha1.RequestedAtAnnotation, "2026-11-23T12:00:00Z")
	m.nextSlot()
	m.reconcilesAgain("web")
	m.reconcilesAgain("never")
	m.sawRequests("web", 1)
	m.sawRequests("never", 0)
	m.holds(my, web)
	if entry, err := m.entry("web"); err != nil || entry.RequestedAt != "" {
		t.Errorf("the request is reported as acted on: %+v (%v)", entry, err)
	}

	resume := func(spec *v1alpha1.ObservedCertificateSpec) { spec.Suspend = false }
	m.changeSpec("web", resume)
	m.changeSpec("never", resume)
	m.installed("web", second)
	m.installed("never", never)
	m.holds(my, web, second, never)
}

func TestAResumedCertificateIsPolled(t *testing.T) {
	m := newMachine(t, "resume")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", first)
	m.changeSpec("web", suspended)
	m.fails("web", v1alpha1.ReasonSuspended)
	second := m.rotate("web") // while the vault's last response is still shared
	m.changeSpec("web", func(spec *v1alpha1.ObservedCertificateSpec) { spec.Suspend = false })
	m.installed("web", second)
}
