package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/install"
)

const (
	bundleName = "trust-bundle" // as config/trust names it
	bundleKey  = "ca-certificates.crt"
)

// An agent without any Azure identity keeps the authorities of a ConfigMap.
func TestAuthoritiesOfAConfigMapNeedNoAzure(t *testing.T) {
	env.needsAKeptRoot(t)
	env.withoutAzure(t)
	env.create(t, "bundle", "", func(spec *v1alpha1.ObservedCertificateSpec) {
		spec.ConfigMap = &v1alpha1.ConfigMapKey{Name: bundleName, Key: bundleKey}
		spec.CertificateStoreName, spec.DeletionPolicy, spec.KeyStorageProvider = "Root", v1alpha1.DeletionDelete, ""
		spec.RevisionHistoryLimit = new(int32)
	})
	first, firstPrint := newRoot(t)
	second, secondPrint := newRoot(t)
	env.fill(t, first+second)
	denied := env.fails(t, "bundle", v1alpha1.ReasonConfigMapNotAllowed)
	if !strings.Contains(denied.Message, "add "+bundleName+" to trust.configMaps") {
		t.Errorf("the message is %q", denied.Message)
	}
	env.kubectl(t, "apply", "-k", filepath.Join(env.machine.Root, "config", "trust"))
	t.Cleanup(func() { env.kubectl(t, "delete", "-k", filepath.Join(env.machine.Root, "config", "trust")) })
	env.ask(t, "bundle")
	env.trusts(t, "bundle", firstPrint, secondPrint)

	env.fill(t, second)
	env.trusts(t, "bundle", secondPrint)
	env.installed(t, "bundle", secondPrint)

	env.agent.Kill() // the content changes while no agent runs
	env.fill(t, first)
	env.startWithoutAzure(t)
	env.trusts(t, "bundle", firstPrint)
	env.installed(t, "bundle", firstPrint)

	key := newKey(t)
	env.fill(t, first+key)
	env.fails(t, "bundle", v1alpha1.ReasonPrivateKeyNotAllowed)
	env.trusts(t, "bundle", firstPrint)
	log, err := os.ReadFile(env.log())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(key) {
		if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") && strings.Contains(string(log), line) {
			t.Error("the log contains the private key")
		}
	}
	if err := env.client.Delete(t.Context(), bundle("")); err != nil {
		t.Fatal(err)
	}
	env.fails(t, "bundle", v1alpha1.ReasonConfigMapNotFound)
	env.trusts(t, "bundle", firstPrint)
	env.controllerSays(t, "bundle", v1alpha1.ConditionVersionWatched, "ConfigMap")

	env.fill(t, second)
	env.trusts(t, "bundle", secondPrint)
	env.controllerSays(t, "bundle", v1alpha1.ConditionReady, string(v1alpha1.ReasonInstalled))
	env.delete(t, "bundle")
	env.gone(t, "bundle")
	env.trusts(t, "bundle")
}

// withoutAzure replaces the agent by one without an identity until the test ends.
func (w *environment) withoutAzure(t *testing.T) {
	t.Helper()
	w.agent.Kill()
	w.startWithoutAzure(t)
	t.Cleanup(func() { w.restartAgent(t) })
}

func (w *environment) startWithoutAzure(t *testing.T) {
	t.Helper()
	settings := slices.DeleteFunc(w.machine.AgentSettings(nodeName, w.kubeconfig(), ""), func(setting string) bool {
		return strings.HasPrefix(setting, "AZURE_") || strings.HasPrefix(setting, "VAULTPANE_CA_BUNDLE=")
	})
	var err error
	w.agent, err = w.machine.Start(w.log(), append(settings, "VAULTPANE_STORE_CHECK_INTERVAL=2s", "VAULTPANE_INITIAL_SPREAD=0s", "VAULTPANE_LOG_FORMAT=text", "VAULTPANE_LOG_LEVEL=1"))
	if err != nil {
		t.Fatal(err)
	}
}

func (w *environment) kubectl(t *testing.T, arguments ...string) {
	t.Helper()
	if output, err := w.cluster.Kubectl(arguments...).CombinedOutput(); err != nil {
		t.Errorf("kubectl %s: %v: %s", strings.Join(arguments, " "), err, output)
	}
}

// bundle is a ConfigMap as trust-manager writes it.
func bundle(content string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: bundleName, Namespace: install.Namespace,
			Labels:      map[string]string{"trust.cert-manager.io/bundle": bundleName},
			Annotations: map[string]string{"trust.cert-manager.io/hash": "f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2"},
		},
		Data: map[string]string{bundleKey: content},
	}
}

func (w *environment) fill(t *testing.T, content string) {
	t.Helper()
	err := w.client.Create(t.Context(), bundle(content))
	if apierrors.IsAlreadyExists(err) {
		err = w.client.Update(t.Context(), bundle(content))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.client.Delete(context.Background(), bundle("")) }) // again is no harm
}

// trusts waits until the machine's Root has exactly these thumbprints of an ObservedCertificate, none with a key.
func (w *environment) trusts(t *testing.T, name string, thumbprints ...string) {
	t.Helper()
	slices.Sort(thumbprints)
	await.That(t, "the machine trusts exactly "+strings.Join(thumbprints, ", "), func() (bool, error) {
		var held []string
		for _, one := range w.held(t, name) {
			if one.Key != "None" || !equalFold(one.Store, `LocalMachine\Root`) {
				t.Errorf("it holds %+v", one)
			}
			held = append(held, one.Thumbprint)
		}
		slices.Sort(held)
		return slices.Equal(held, thumbprints), nil
	})
}

// controllerSays waits until a condition in the status has a reason.
func (w *environment) controllerSays(t *testing.T, name, condition, reason string) {
	t.Helper()
	await.That(t, condition+" has the reason "+reason, func() (bool, error) {
		var certificate v1alpha1.ObservedCertificate
		if err := w.client.Get(t.Context(), client.ObjectKey{Name: name}, &certificate); err != nil {
			return false, err
		}
		found := meta.FindStatusCondition(certificate.Status.Conditions, condition)
		return found != nil && found.Reason == reason, nil
	})
}
