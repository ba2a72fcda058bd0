package agent_test

import (
	"maps"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/schedule"
	"github.com/vaultpane/vaultpane/test/install"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// publishes writes what the controller's version watch publishes: one of the secret's versions, by its place in the vault's list.
func (m *machine) publishes(name string, place int, changes ...func(*v1alpha1.ObservedCertificateStatus)) {
	m.t.Helper()
	versions := m.vault.Versions(m.full(name))
	m.eventually("the version is published", func() (bool, error) {
		certificate, err := m.front.get(m.full(name))
		if err != nil {
			return false, err
		}
		created := metav1.NewTime(m.vault.Created(m.full(name), versions[place]))
		certificate.Status.LatestVersion = &v1alpha1.LatestVersion{Version: versions[place], ObservedTime: metav1.Now(), CreatedTime: &created}
		meta.SetStatusCondition(&certificate.Status.Conditions, metav1.Condition{
			Type: v1alpha1.ConditionVersionWatched, Status: metav1.ConditionTrue, Reason: "Watched", ObservedGeneration: certificate.Generation,
		})
		for _, change := range changes {
			change(&certificate.Status)
		}
		return true, m.kube.Status().Update(m.t.Context(), certificate)
	})
}

// onSchedule are the vaults that the Lease names; the tests of this package share it.
var (
	onScheduleMu sync.Mutex
	onSchedule   = map[string]time.Time{}
)

// beat has the version watch's Lease say that the vault is on schedule.
func (m *machine) beat() {
	m.t.Helper()
	secret, err := keyvault.ParseURL(m.url("any"))
	m.must(err)
	onScheduleMu.Lock()
	defer onScheduleMu.Unlock()
	last := onSchedule[secret.Authority()]
	onSchedule[secret.Authority()] = time.Now().Truncate(time.Second)
	if !onSchedule[secret.Authority()].After(last) {
		onSchedule[secret.Authority()] = last.Add(time.Second) // each says something new
	}
	m.eventually("the Lease is written", func() (bool, error) {
		lease := &coordinationv1.Lease{}
		err := m.kube.Get(m.t.Context(), client.ObjectKey{Namespace: install.Namespace, Name: heartbeat.VersionWatch}, lease)
		missing := apierrors.IsNotFound(err)
		if err != nil && !missing {
			return false, err
		}
		lease.Namespace, lease.Name = install.Namespace, heartbeat.VersionWatch
		heartbeat.AnnotateVaults(lease, maps.Clone(onSchedule))
		if missing {
			return true, m.kube.Create(m.t.Context(), lease)
		}
		return true, m.kube.Update(m.t.Context(), lease)
	})
}

func TestAPublishedVersionIsFetchedAtOnce(t *testing.T) {
	m := newClusterMachine(t, "published")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", first)
	m.beat()
	m.publishes("web", 0)
	second := m.rotate("web")
	m.reconcilesAgain("web")
	if got := m.requests("web"); got != 1 {
		t.Errorf("the vault got %d requests, want none before a version is published", got)
	}
	m.publishes("web", 1)
	m.installed("web", second)
	m.holds(my, first, second)
	if got := m.requests("web"); got != 2 {
		t.Errorf("the vault got %d requests for two versions", got)
	}
}

// While the version watch sees the vault, slots cost nothing. When it does not any more, the next slot is a poll.
func TestSlotsAreLeftOutWhileTheVersionWatchSeesTheVault(t *testing.T) {
	m := newClusterMachine(t, "published-slots")
	web := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", web)
	m.publishes("web", 0)
	m.beat()
	m.eventually("the agent has seen the Lease, with the clock as it is", func() (bool, error) {
		certificate, err := m.front.get(m.full("web"))
		return err == nil && m.publications.Of(certificate).Fresh, err
	})
	secret, err := keyvault.ParseURL(m.url("web"))
	m.must(err)
	for range 3 {
		slot := schedule.Slot(m.name, secret.String(), pollingInterval, m.clock.Now().Add(2*time.Minute))
		m.clock.advance(slot.Add(-time.Minute).Sub(m.clock.Now())) // the vault is stale until the Lease is renewed, and a slot would be a poll
		m.beat()
		m.eventually("the agent learns that the vault is on schedule", func() (bool, error) {
			certificate, err := m.front.get(m.full("web"))
			return err == nil && m.publications.Of(certificate).Fresh, err
		})
		m.clock.advance(2 * time.Minute)
		m.reconcilesAgain("web")
		if got := m.requests("web"); got != 1 {
			t.Errorf("the vault got %d requests, want none for a slot", got)
		}
	}
	second := m.rotate("web")
	m.nextSlot() // the Lease is stale by then
	m.installed("web", second)
}

// A version that the node polled is not replaced by an older one that is still published: the version watch has not listed yet.
func TestAPublicationThatIsLateReplacesNothing(t *testing.T) {
	m := newClusterMachine(t, "published-late")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web")
	m.installed("web", first)
	m.beat()
	second := m.rotate("web")
	m.annotate("web", v1alpha1.RequestedAtAnnotation, time.Now().Format(time.RFC3339))
	m.installed("web", second)
	m.publishes("web", 0)
	m.reconcilesAgain("web")
	m.installed("web", second)
	if got := m.requests("web"); got != 2 {
		t.Errorf("the vault got %d requests, want 2", got)
	}
}

// A version that is disabled in the vault is rolled back, and linked to the one before as an older one would be. Without the version
// watch, the newest version is all that a poll can ask for.
func TestADisabledVersionIsRolledBack(t *testing.T) {
	m := newClusterMachine(t, "rollback")
	first := m.put("web", vaulttest.CertificateOptions{})
	m.create("web", func(spec *v1alpha1.ObservedCertificateSpec) { spec.LinkOnRenewal = true })
	m.installed("web", first)
	second := m.rotate("web")
	m.beat()
	m.publishes("web", 1)
	m.installed("web", second)
	versions := m.vault.Versions(m.full("web"))
	m.must(m.vault.Disable(m.full("web"), versions[1]))
	back := func(status *v1alpha1.ObservedCertificateStatus) { status.LatestVersion.RollbackFrom = versions[1] }
	m.publishes("web", 0, back)
	m.installed("web", first)
	m.holds(my, first, second)
	if got := m.held(my)[second].Successor; got != first {
		t.Errorf("the disabled version is linked to %q, want %s", got, first)
	}
	if got := m.held(my)[first].Successor; got != "" {
		t.Errorf("the current version is linked to %q", got)
	}

	// A new node, or one that lost the certificate, gets the same; also while the version watch is away.
	m.must(m.openStore().Remove(my, first))
	m.installed("web", first)
	m.nextSlot()
	m.reconcilesAgain("web")
	m.installed("web", first)
}

// Another secret comes in waves as another version does. Until its wave starts, a node keeps what it has, and does not ask the new
// secret for the old one's version.
func TestAnotherURLWaitsForItsWave(t *testing.T) {
	m := newClusterMachine(t, "wave-url")
	web := m.put("web", vaulttest.CertificateOptions{})
	shop := m.put("shop", vaulttest.CertificateOptions{})
	m.create("web", func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.Rollout = &v1alpha1.Rollout{Waves: []v1alpha1.Wave{{NodeSelector: v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"ring": "canary"}}}}}
	})
	m.installed("web", web)
	m.changeSpec("web", func(spec *v1alpha1.ObservedCertificateSpec) { spec.URL = m.url("shop") })
	m.reconcilesAgain("web")
	m.beat()
	version, created := m.vault.Versions(m.full("shop"))[0], metav1.NewTime(m.vault.Created(m.full("shop"), m.vault.Versions(m.full("shop"))[0]))
	inWave := func(wave int32) func(*v1alpha1.ObservedCertificateStatus) {
		return func(status *v1alpha1.ObservedCertificateStatus) {
			status.LatestVersion.Version, status.LatestVersion.CreatedTime = version, &created
			status.Rollout = &v1alpha1.RolloutStatus{Version: version, Wave: wave}
		}
	}
	m.publishes("web", 0, inWave(1))
	m.reconcilesAgain("web")
	m.holds(my, web)
	if got := m.requests("shop"); got != 0 {
		t.Errorf("the new secret got %d requests before the node's wave", got)
	}
	m.publishes("web", 0, inWave(2))
	m.installed("web", shop)
}
