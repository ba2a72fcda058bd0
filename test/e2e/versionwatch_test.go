package e2e

import (
	"context"
	"slices"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/keyvault"
)

// replaceController kills the controller and starts another, with other settings.
func (w *environment) replaceController(t *testing.T, settings ...string) {
	t.Helper()
	w.controller.Kill()
	var err error
	if w.controller, err = w.startController(context.Background(), settings...); err != nil {
		t.Fatal(err)
	}
}

// watching are the settings of a controller that watches versions, once a second.
func (w *environment) watching() []string {
	return slices.Concat(w.vaults.Env(), []string{
		"VAULTPANE_VERSION_WATCH=true", "VAULTPANE_VERSION_WATCH_INTERVAL=1s", "VAULTPANE_ALLOWED_VAULT_HOSTS=localhost",
		"VAULTPANE_CA_BUNDLE=" + w.vaults.CAFile(), "VAULTPANE_DISABLE_CHALLENGE_RESOURCE_VERIFICATION=true",
	})
}

// watched waits until the condition VersionWatched of a certificate is as wanted, with a version as the latest.
func (w *environment) watched(t *testing.T, name, version string, want metav1.ConditionStatus) {
	t.Helper()
	await.That(t, name+" has the latest version "+version, func() (bool, error) {
		var certificate v1alpha1.ObservedCertificate
		if err := w.client.Get(t.Context(), client.ObjectKey{Name: name}, &certificate); err != nil {
			return false, err
		}
		latest := certificate.Status.LatestVersion
		return latest != nil && latest.Version == version && meta.IsStatusConditionPresentAndEqual(certificate.Status.Conditions, v1alpha1.ConditionVersionWatched, want), nil
	})
}

// latest returns the newest version in the vault.
func (w *environment) latest(name string) string {
	versions := w.shop.Versions(name)
	return versions[len(versions)-1]
}

// A renewal arrives without a poll of the node, a killed controller stops nothing, a missing right brings the polls back, and a
// version that is disabled in the vault is rolled back.
func TestTheVersionWatchBringsRenewals(t *testing.T) {
	env.replaceController(t, env.watching()...)
	t.Cleanup(func() { env.replaceController(t) })
	first := env.put(t, "watched", keyvault.CertificateOptions{})
	env.create(t, "watched", env.shop.SecretURL("watched"), nil)
	env.installed(t, "watched", first)
	env.watched(t, "watched", env.latest("watched"), metav1.ConditionTrue)
	second := env.rotate(t, "watched")
	env.installed(t, "watched", second)

	third := env.rotate(t, "watched")
	env.watched(t, "watched", env.latest("watched"), metav1.ConditionTrue)
	env.controller.Kill() // in the middle of the roll-out
	env.installed(t, "watched", third)
	env.replaceController(t, env.watching()...)
	env.watched(t, "watched", env.latest("watched"), metav1.ConditionTrue)

	published := env.latest("watched")
	env.shop.DenyLists()
	t.Cleanup(env.shop.Heal)
	fourth := env.rotate(t, "watched")
	env.watched(t, "watched", published, metav1.ConditionFalse)
	env.ask(t, "watched") // as the next slot would, within the hour
	env.installed(t, "watched", fourth)

	env.shop.Heal()
	env.watched(t, "watched", env.latest("watched"), metav1.ConditionTrue)
	if err := env.shop.Disable("watched", ""); err != nil {
		t.Fatal(err)
	}
	env.watched(t, "watched", published, metav1.ConditionTrue)
	env.installed(t, "watched", third)
	env.holds(t, "watched", my, first, second, third, fourth)
}
