package agent_test

import (
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

func TestWhenTheObservedCertificateIsDeletedItsPolicyIsFollowed(t *testing.T) {
	m := newMachine(t, "deleted")
	removed, kept := m.put("removed", vaulttest.CertificateOptions{WithChain: true}), m.put("kept", vaulttest.CertificateOptions{})
	m.create("removed", deleteWhenGone)
	m.create("kept")
	m.installed("removed", removed)
	m.installed("kept", kept)
	second := m.rotate("removed")
	m.nextSlot()
	m.installed("removed", second)
	m.holds(my, removed, second, kept)

	m.delete("removed")
	m.delete("kept")
	m.gone("removed")
	m.gone("kept")
	m.holds(my, kept)
	if len(m.held(ca)) != 1 {
		t.Error("the intermediate has gone too, though others may need it")
	}
}

func TestADeletionWhileTheAgentDidNotRunIsFollowedAfterwards(t *testing.T) {
	m := newMachine(t, "away")
	removed, kept := m.put("removed", vaulttest.CertificateOptions{}), m.put("kept", vaulttest.CertificateOptions{})
	other, stays := m.put("other", vaulttest.CertificateOptions{}), m.put("stays", vaulttest.CertificateOptions{})
	m.create("removed", deleteWhenGone)
	m.create("kept")
	m.create("other", deleteWhenGone, inStore("WebHosting")) // no ObservedCertificate names that store afterwards
	m.create("stays", deleteWhenGone)
	m.installed("removed", removed)
	m.installed("kept", kept)
	m.installed("other", other)
	m.installed("stays", stays)

	m.stop()
	m.delete("removed")
	m.delete("kept")
	m.delete("other")
	m.start()
	m.holds(my, kept, stays)
	m.holds(webHosting)
	m.gone("removed")
	m.gone("kept")
	m.gone("other")
	m.installed("stays", stays)
	if requests := m.requests("stays"); requests != 1 {
		t.Errorf("the vault saw %d requests for a certificate that was in its place, want 1", requests)
	}
}

func TestARecreatedObservedCertificateTakesOver(t *testing.T) {
	m := newClusterMachine(t, "recreated")
	same, before := m.put("same", vaulttest.CertificateOptions{}), m.put("before", vaulttest.CertificateOptions{})
	after := m.put("after", vaulttest.CertificateOptions{})
	m.create("same", deleteWhenGone)
	m.create("before", deleteWhenGone)
	m.installed("same", same)
	m.installed("before", before)

	m.stop()
	m.delete("same")
	m.delete("before")
	newOwner := m.create("same", deleteWhenGone)
	m.create("before", of(m.url("after")), deleteWhenGone, keeping(0)) // the same name and generation for another secret
	m.start()
	m.installed("before", after)
	m.passesTo(same, newOwner, false)
	m.installed("same", same)
	m.holds(my, same, after)
}

func TestANodeThatIsNoLongerTargetedReleasesTheCertificate(t *testing.T) {
	m := newClusterMachine(t, "selector")
	node := m.front.(*clusterFront)
	removed, kept := m.put("removed", vaulttest.CertificateOptions{}), m.put("kept", vaulttest.CertificateOptions{})
	web := m.put("web", vaulttest.CertificateOptions{})
	poolWeb := func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": "web"}}
	}
	node.label("pool", "web")
	m.create("removed", deleteWhenGone, poolWeb)
	m.create("kept", poolWeb)
	m.create("web", deleteWhenGone)
	m.installed("removed", removed)
	m.installed("kept", kept)
	m.installed("web", web)

	node.label("pool", "sql") // the node changes
	m.gone("removed")
	m.gone("kept")
	m.holds(my, kept, web)
	m.changeSpec("web", poolWeb) // and so does an ObservedCertificate
	m.gone("web")
	m.holds(my, kept)
	node.label("pool", "web")
	m.installed("removed", removed)
	m.installed("web", web)
	m.holds(my, kept, removed, web)
}
