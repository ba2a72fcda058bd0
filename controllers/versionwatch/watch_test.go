package versionwatch_test

import (
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/install"
)

func TestANewVersionIsPublished(t *testing.T) {
	w := newWorld(t, "publish")
	w.join("a", "b")
	w.put("web")
	w.observe("web", "web")
	first := w.vault.Versions("web")[0]
	before := w.publishes("web", first).Status.LatestVersion
	second := w.rotate("web")
	after := w.publishes("web", second).Status.LatestVersion
	if after.RollbackFrom != "" || after.CreatedTime == nil || !after.CreatedTime.After(before.CreatedTime.Time) {
		t.Errorf("got %+v after %+v", after, before)
	}
	if after.FetchSpreadInS != 1 { // 2 nodes
		t.Errorf("the nodes spread their requests over %d s", after.FetchSpreadInS)
	}
	output, err := w.plane.Kubectl("get", "obscert", "publish-web", "-o", "wide").CombinedOutput()
	w.must(err)
	if !strings.Contains(string(output), "LATEST") || !strings.Contains(string(output), second) {
		t.Errorf("kubectl get -o wide does not show the latest version:\n%s", output)
	}
	w.observe("pinned", "web/"+first)
	if got := watchedOf(w.eventually("pinned", "says that it is pinned", func(c *v1alpha1.ObservedCertificate) bool { return watchedOf(c).Reason == "Pinned" })); got.Status != metav1.ConditionFalse {
		t.Errorf("got %+v", got)
	}
}

// A secret is listed once, however many certificates and nodes use it, and no value is read.
func TestASecretIsListedOnceForAll(t *testing.T) {
	w := newWorld(t, "cost")
	w.vault.DenyReads()
	w.put("web")
	hourly := func(spec *v1alpha1.ObservedCertificateSpec) { spec.VersionWatchIntervalInS = 3600 }
	for _, name := range []string{"one", "two", "three"} {
		w.observe(name, "web", hourly)
	}
	first := w.vault.Versions("web")[0]
	for _, name := range []string{"one", "two", "three"} {
		w.publishes(name, first)
	}
	if got := w.vault.Stats(); got.Lists != 1 || got.Requests != 1 || got.Unauthorized != 1 {
		t.Errorf("got %d lists, %d requests and %d challenges, want 1 each", got.Lists, got.Requests, got.Unauthorized)
	}
}

func TestAMissingRightIsACondition(t *testing.T) {
	w := newWorld(t, "rights")
	w.put("web")
	w.vault.DenyLists()
	w.observe("web", "web")
	refused := watchedOf(w.eventually("web", "says that the right is missing", func(c *v1alpha1.ObservedCertificate) bool {
		return watchedOf(c).Reason == string(v1alpha1.ReasonAccessDenied)
	}))
	for _, text := range []string{"the nodes poll at their own interval", `grant "Key Vault Reader" on localhost`} {
		if refused.Status != metav1.ConditionFalse || !strings.Contains(refused.Message, text) {
			t.Errorf("got %+v, want %q in it", refused, text)
		}
	}
	w.vault.Heal()
	first := w.vault.Versions("web")[0]
	w.publishes("web", first)

	w.vault.DenyLists() // while a renewal is on its way
	second := w.rotate("web")
	lost := w.eventually("web", "says it again", func(c *v1alpha1.ObservedCertificate) bool {
		return watchedOf(c).Reason == string(v1alpha1.ReasonAccessDenied)
	})
	if lost.Status.LatestVersion == nil || lost.Status.LatestVersion.Version != first {
		t.Errorf("got %+v, want what was published last", lost.Status.LatestVersion)
	}
	w.vault.Heal()
	w.publishes("web", second)
}

func TestADisabledVersionIsRolledBack(t *testing.T) {
	w := newWorld(t, "rollback")
	w.put("web")
	w.observe("web", "web")
	first := w.vault.Versions("web")[0]
	second := w.rotate("web")
	w.publishes("web", second)
	w.must(w.vault.Disable("web", second))
	status := w.publishes("web", first).Status
	if status.LatestVersion.RollbackFrom != second {
		t.Errorf("got %+v, want a roll-back from %s", status.LatestVersion, second)
	}
	w.must(w.vault.Disable("web", first))
	w.eventually("web", "has no usable version", func(c *v1alpha1.ObservedCertificate) bool {
		condition := watchedOf(c)
		return condition.Status == metav1.ConditionFalse && condition.Reason == string(v1alpha1.ReasonSecretDisabled) && strings.Contains(condition.Message, "none of its 2 versions")
	})
	w.must(w.vault.Enable("web", second))
	if got := w.publishes("web", second).Status.LatestVersion; got.RollbackFrom != "" {
		t.Errorf("got %+v, want no roll-back", got)
	}
}

// What a leader published stays when another one sees the same, so that nodes do not begin again.
func TestAnotherLeaderChangesNothing(t *testing.T) {
	w := newWorld(t, "leader")
	w.put("web")
	w.observe("web", "web")
	before := w.publishes("web", w.vault.Versions("web")[0])
	w.stop()
	w.vault.ResetStats()
	w.start()
	await.That(t, "the new leader lists", func() (bool, error) { return w.vault.Stats().Lists >= 2, nil })
	after := w.get("web") // whose nodes are counted with those of other tests
	if !equality.Semantic.DeepEqual(after.Status.LatestVersion, before.Status.LatestVersion) || watchedOf(after) != watchedOf(before) {
		t.Errorf("the status changed from %+v to %+v", before.Status, after.Status)
	}
	w.publishes("web", w.rotate("web"))
}

// onSchedule returns when the Lease says that the test's vault was on schedule.
func (w *world) onSchedule() time.Time {
	lease := &coordinationv1.Lease{}
	if err := w.kube.Get(w.t.Context(), client.ObjectKey{Namespace: install.Namespace, Name: heartbeat.VersionWatch}, lease); err != nil {
		return time.Time{}
	}
	secret, err := keyvault.ParseURL(w.vault.SecretURL("any"))
	w.must(err)
	return heartbeat.VaultsOnSchedule(lease)[secret.Authority()]
}

// An event leads to a list at once, and a thousand of them to one more.
func TestALookListsAtOnce(t *testing.T) {
	w := newWorld(t, "look")
	w.put("web")
	w.observe("web", "web", func(spec *v1alpha1.ObservedCertificateSpec) { spec.VersionWatchIntervalInS = 86400 })
	w.publishes("web", w.vault.Versions("web")[0])
	secret, err := keyvault.ParseURL(w.vault.SecretURL("WEB"))
	w.must(err)
	if w.watch.Look(secret.Authority(), "other") || w.watch.Look("elsewhere.vault.azure.net", "web") {
		t.Error("a secret that nothing observes is looked at")
	}
	second := w.rotate("web")
	for range 1000 {
		if !w.watch.Look(secret.Authority(), "WEB") { // Key Vault ignores the case
			t.Fatal("the secret is not observed")
		}
	}
	w.publishes("web", second)
	if got := w.vault.Stats().Lists; got > 3 {
		t.Errorf("the vault got %d lists", got)
	}
}

func TestARequestForAPollIsOneForAList(t *testing.T) {
	w := newWorld(t, "request")
	w.put("web")
	w.observe("web", "web", func(spec *v1alpha1.ObservedCertificateSpec) { spec.VersionWatchIntervalInS = 86400 })
	w.publishes("web", w.vault.Versions("web")[0])
	second := w.rotate("web")
	certificate := w.get("web")
	metav1.SetMetaDataAnnotation(&certificate.ObjectMeta, v1alpha1.RequestedAtAnnotation, time.Now().Format(time.RFC3339))
	w.must(w.kube.Update(t.Context(), certificate))
	w.publishes("web", second)
}

// After another URL, the publication is not about the former one.
func TestAnotherURLIsAnotherPublication(t *testing.T) {
	w := newWorld(t, "url")
	w.put("web")
	w.put("shop")
	w.observe("web", "web")
	w.publishes("web", w.vault.Versions("web")[0])
	w.vault.DenyLists()
	certificate := w.get("web")
	certificate.Spec.URL = w.vault.SecretURL("shop")
	w.must(w.kube.Update(t.Context(), certificate))
	w.eventually("web", "has lost its publication", func(c *v1alpha1.ObservedCertificate) bool {
		condition := watchedOf(c)
		return condition.ObservedGeneration == c.Generation && condition.Status == metav1.ConditionFalse && c.Status.LatestVersion == nil
	})
	w.vault.Heal()
	w.publishes("web", w.vault.Versions("shop")[0])
}

// The Lease says that a vault is on schedule while all lists succeed and their results are published. A lasting failure is told in the
// certificates' conditions instead.
func TestTheLeaseSaysWhichVaultsAreOnSchedule(t *testing.T) {
	w := newWorld(t, "lease")
	w.put("web")
	w.put("shop")
	w.observe("web", "web")
	w.publishes("web", w.vault.Versions("web")[0])
	await.That(t, "the Lease names the vault", func() (bool, error) { return !w.onSchedule().IsZero(), nil })
}
