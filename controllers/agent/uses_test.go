package agent_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

const (
	website = "httpSys 0.0.0.0:443"
	rdp     = "remoteDesktop"
	iis     = "service w3svc"
)

var (
	useWebsite = v1alpha1.Use{HTTPSys: &v1alpha1.HTTPSysUse{IPPort: "0.0.0.0:443"}}
	useRDP     = v1alpha1.Use{RemoteDesktop: &v1alpha1.RemoteDesktopUse{}}
	useIIS     = v1alpha1.Use{Service: &v1alpha1.ServiceUse{Name: "w3svc", Action: v1alpha1.ServiceRestart}}
)

func usedBy(uses ...v1alpha1.Use) func(*v1alpha1.ObservedCertificateSpec) {
	return func(s *v1alpha1.ObservedCertificateSpec) { s.UsedBy = uses }
}

// uses waits until the uses of a certificate are reported as wanted: name, state and reason, and what each message contains.
func (m *machine) uses(name string, want ...string) v1alpha1.CertificateEntry {
	m.t.Helper()
	return m.reported(name, strings.Join(want, ", "), func(e *v1alpha1.CertificateEntry) bool {
		var got []string
		for _, use := range e.Uses {
			got = append(got, strings.TrimSpace(use.Name+" "+string(use.State)+" "+string(use.Reason)))
		}
		return slices.Equal(got, want)
	})
}

func TestProgramsFollowARenewalBeforeTheOldVersionGoes(t *testing.T) {
	m := newMachine(t, "uses")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.host.programs.configure(rdp, usedby.Seen{})
	m.host.programs.configure(iis, usedby.Seen{})
	m.create("web", keeping(0), usedBy(useRDP, useIIS))
	m.uses("web", rdp+" Bound", iis+" Bound")
	for range 3 {
		second := m.rotate("web")
		m.pass(2 * time.Minute) // a service is restarted once a minute
		m.nextSlot()
		m.uses("web", rdp+" Bound", iis+" Bound")
		m.installed("web", second)
		m.holds(my, second) // in the same poll: its predecessor was removed after it was left
		if got := m.host.programs.has(rdp); got != second {
			t.Errorf("Remote Desktop has %s, want %s", got, second)
		}
		first = second
	}
	want := 4 * 2
	if got := m.host.programs.switches(); len(got) != want || got[len(got)-1] != iis+" "+first {
		t.Errorf("programs were switched %d times, want %d: %v", len(got), want, got)
	}
}

func TestAVersionThatAProgramCannotLeaveStays(t *testing.T) {
	m := newMachine(t, "uses-stuck")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.host.programs.configure(rdp, usedby.Seen{})
	m.create("web", keeping(0), usedBy(useRDP))
	m.uses("web", rdp+" Bound")
	m.host.programs.breakSwitch(rdp, errors.New("setting SSLCertificateSHA1Hash: 0x00000005 ERROR_ACCESS_DENIED"))
	second := m.rotate("web")
	m.nextSlot()
	entry := m.uses("web", rdp+" Failed ProgramFailure")
	if entry.State != v1alpha1.StateInstalled || entry.Thumbprint != second || entry.Reason != v1alpha1.ReasonUseFailed || !strings.Contains(entry.Message, "remoteDesktop: setting SSLCertificateSHA1Hash: 0x00000005") {
		t.Errorf("a program's failure is reported as %+v", entry)
	}
	m.holds(my, first, second)
	m.warned("web", v1alpha1.ReasonProgramFailure)

	m.host.programs.breakSwitch(rdp, nil)
	m.pass(2 * time.Minute)
	m.uses("web", rdp+" Bound")
	m.holds(my, second) // without waiting for the next slot
	if entry := m.installed("web", second); entry.Reason != "" {
		t.Errorf("after that %+v is reported", entry)
	}
}

// A service that runs has the key of the version with which it started.
func TestAVersionStaysUntilTheServiceIsRestarted(t *testing.T) {
	m := newMachine(t, "uses-running")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.host.programs.configure(iis, usedby.Seen{})
	m.create("web", keeping(0), usedBy(useIIS))
	m.uses("web", iis+" Bound")
	m.host.programs.breakSwitch(iis, errors.New("services that depend on it run"))
	second := m.rotate("web")
	m.nextSlot()
	m.uses("web", iis+" Failed ProgramFailure")
	m.holds(my, first, second)

	m.host.programs.breakSwitch(iis, nil)
	m.pass(2 * time.Minute)
	m.uses("web", iis+" Bound")
	m.holds(my, second)
}

func TestTheBindingOfAnotherCertificateStays(t *testing.T) {
	m := newMachine(t, "uses-foreign")
	const foreign = "AB12AB12AB12AB12AB12AB12AB12AB12AB12AB12"
	m.host.programs.configure(website, usedby.Seen{Thumbprint: foreign, Store: "MY"})
	m.host.programs.configure(rdp, usedby.Seen{})
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", usedBy(useWebsite, useRDP))
	m.uses("web", website+" Failed UsesAnother", rdp+" Bound")
	m.warned("web", v1alpha1.ReasonUsesAnother)
	m.rotate("web")
	m.nextSlot()
	m.reconcilesAgain("web")
	if got := m.host.programs.has(website); got != foreign {
		t.Errorf("the binding has %s", got)
	}
	m.host.programs.configure(website, usedby.Seen{Thumbprint: first, Store: "MY"}) // switched by hand
	m.uses("web", website+" Bound", rdp+" Bound")
}

func TestABindingIsMadeOnlyWhereThatWasAskedFor(t *testing.T) {
	m := newMachine(t, "uses-adopt")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", usedBy(useWebsite))
	m.uses("web", website+" Failed UseNotFound")
	m.changeSpec("web", func(s *v1alpha1.ObservedCertificateSpec) {
		s.UsedBy = []v1alpha1.Use{{HTTPSys: &v1alpha1.HTTPSysUse{IPPort: "0.0.0.0:443", Adopt: true}}}
	})
	m.uses("web", website+" Bound")
	if got := m.host.programs.has(website); got != first {
		t.Errorf("the binding has %s, want %s", got, first)
	}
}

func TestOnlyAllowedServicesAreRestarted(t *testing.T) {
	m := newMachine(t, "uses-services")
	m.put("web", vaulttest.CertificateOptions{})
	m.host.programs.configure("service kubelet", usedby.Seen{})
	m.host.programs.configure(iis, usedby.Seen{})
	m.create("web", usedBy(v1alpha1.Use{Service: &v1alpha1.ServiceUse{Name: "kubelet", Action: v1alpha1.ServiceRestart}}, useIIS))
	entry := m.uses("web", "service kubelet Failed ServiceNotAllowed", iis+" Bound")
	if !strings.Contains(entry.Message, "agent.allowedServices") {
		t.Errorf("the message says %q", entry.Message)
	}
	for _, one := range m.host.programs.switches() {
		if !strings.HasPrefix(one, iis) {
			t.Errorf("restarted %s", one)
		}
	}
}

func TestAProgramWhoseAccountMayNotReadTheKeyKeepsWhatItHas(t *testing.T) {
	m := newMachine(t, "uses-account")
	m.host.set(func(h *host) { h.accounts = map[string]string{`NT AUTHORITY\NETWORK SERVICE`: "S-1-5-20"} })
	m.host.programs.configure(rdp, usedby.Seen{Account: `NT AUTHORITY\NETWORK SERVICE`, SID: "S-1-5-20"})
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", usedBy(useRDP))
	entry := m.uses("web", rdp+" Failed KeyAccessMissing")
	if !strings.Contains(entry.Message, `add "NT AUTHORITY\NETWORK SERVICE" to spec.accounts`) {
		t.Errorf("the message says %q", entry.Message)
	}
	m.changeSpec("web", func(s *v1alpha1.ObservedCertificateSpec) { s.Accounts = []string{`NT AUTHORITY\NETWORK SERVICE`} })
	m.uses("web", rdp+" Bound")
	if got := m.host.programs.has(rdp); got != first {
		t.Errorf("Remote Desktop has %s, want %s", got, first)
	}
}

func TestAProgramThatIsSwitchedBackIsRepaired(t *testing.T) {
	m := newMachine(t, "uses-drift")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.host.programs.configure(rdp, usedby.Seen{})
	m.create("web", usedBy(useRDP))
	m.uses("web", rdp+" Bound")
	second := m.rotate("web")
	m.nextSlot()
	m.installed("web", second)
	requests := m.requests("web")
	m.host.programs.configure(rdp, usedby.Seen{Thumbprint: first})
	m.eventually("Remote Desktop is switched again", func() (bool, error) { return m.host.programs.has(rdp) == second, nil })
	if got := m.requests("web"); got != requests {
		t.Errorf("the repair made %d requests to Key Vault", got-requests)
	}
}

func TestAfterARestartNothingIsSwitchedToAVersionThatIsNotCurrent(t *testing.T) {
	m := newClusterMachine(t, "uses-rollback")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.host.programs.configure(rdp, usedby.Seen{})
	m.create("web", usedBy(useRDP))
	m.uses("web", rdp+" Bound")
	version := m.installed("web", first).Version
	second := m.rotate("web")
	m.nextSlot()
	m.installed("web", second)
	m.eventually("Remote Desktop follows", func() (bool, error) { return m.host.programs.has(rdp) == second, nil })
	m.changeSpec("web", func(s *v1alpha1.ObservedCertificateSpec) { s.URL += "/" + version }) // back to the first
	m.installed("web", first)
	m.eventually("Remote Desktop goes back with it", func() (bool, error) { return m.host.programs.has(rdp) == first, nil })
	m.stop()
	before := len(m.host.programs.switches())
	m.must(m.kube.Delete(t.Context(), &v1alpha1.NodeCertificateState{ObjectMeta: metav1.ObjectMeta{Name: m.name}}))
	m.start() // the newest in the store is the second, and what was reported is lost
	m.uses("web", rdp+" Bound")
	if got := m.host.programs.switches(); len(got) != before || m.host.programs.has(rdp) != first {
		t.Errorf("after the restart Remote Desktop was switched to %v", got[before:])
	}
}

// An agent that was killed after it switched a program, and before it reported that, leaves a report of the old version.
func TestAfterAKillNothingGoesBackToTheVersionOfTheLastReport(t *testing.T) {
	m := newClusterMachine(t, "uses-killed")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.host.programs.configure(rdp, usedby.Seen{})
	m.create("web", usedBy(useRDP))
	m.uses("web", rdp+" Bound")
	m.stop()
	old := &v1alpha1.NodeCertificateState{}
	m.must(m.kube.Get(t.Context(), client.ObjectKey{Name: m.name}, old))
	m.start()
	second := m.rotate("web")
	m.nextSlot()
	m.installed("web", second)
	m.eventually("Remote Desktop follows", func() (bool, error) { return m.host.programs.has(rdp) == second, nil })
	m.stop()
	now := &v1alpha1.NodeCertificateState{}
	m.must(m.kube.Get(t.Context(), client.ObjectKey{Name: m.name}, now))
	now.Certificates = old.Certificates
	m.must(m.kube.Update(t.Context(), now))
	before := len(m.host.programs.switches())
	m.start()
	m.reconcilesAgain("web") // before a poll is due
	m.nextSlot()
	m.installed("web", second)
	if got := m.host.programs.switches(); len(got) != before || m.host.programs.has(rdp) != second {
		t.Errorf("Remote Desktop was switched to %v; it had %s, and before that %s", got[before:], second, first)
	}
}

// While a superseded version stays for a program that cannot leave it, another program that leaves it has the vault asked, to remove
// the version. That must not hide that the other is switched back again and again.
func TestAFightOverAProgramSlowsDownWhileAnotherIsStuck(t *testing.T) {
	m := newMachine(t, "uses-fight")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.host.programs.configure(rdp, usedby.Seen{})
	m.host.programs.configure(website, usedby.Seen{Thumbprint: first, Store: "MY"})
	m.create("web", keeping(0), usedBy(useRDP, useWebsite))
	m.uses("web", rdp+" Bound", website+" Bound")
	m.host.programs.breakSwitch(website, errors.New("stuck"))
	second := m.rotate("web")
	m.nextSlot()
	m.uses("web", rdp+" Bound", website+" Failed ProgramFailure")
	requests, switches := m.requests("web"), len(m.host.programs.switches())
	for range 10 {
		m.host.programs.configure(rdp, usedby.Seen{Thumbprint: first})
		m.reconcilesAgain("web")
	}
	m.uses("web", rdp+" Pending RepeatedDrift", website+" Failed ProgramFailure")
	if got := len(m.host.programs.switches()) - switches; got > 3 {
		t.Errorf("switched to %s %d times without a pause", second, got)
	}
	if got := m.requests("web") - requests; got > 3 {
		t.Errorf("asked the vault %d times", got)
	}
}
