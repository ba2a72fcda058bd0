package versionwatch_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/rollup"
	"github.com/vaultpane/vaultpane/controllers/versionwatch"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/install"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/suite"
)

// interval is that of the lists in these tests.
const interval = time.Second

func TestMain(m *testing.M) {
	os.Exit(suite.Run(m, logr.Discard(), "8"))
}

// cluster is a real API server, with a Key Vault over TLS.
type cluster struct {
	plane  *controlplane.ControlPlane
	kube   client.Client // the administrator's
	server *vaulttest.Server
}

// shared starts with the first test. Each test has a vault of its own.
var shared = sync.OnceValues(func() (*cluster, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	c := &cluster{}
	var err error
	if c.server, err = vaulttest.Start(vaulttest.Options{Vaults: vaultNames}); err != nil {
		return nil, err
	}
	suite.AtEnd(c.server.Close)
	for _, variable := range c.server.Env() {
		name, value, _ := strings.Cut(variable, "=")
		if err := os.Setenv(name, value); err != nil {
			return nil, err
		}
	}
	if c.plane, err = suite.Plane(ctx); err != nil {
		return nil, err
	}
	if err := install.Everything(ctx, c.plane, filepath.Join("..", "..")); err != nil {
		return nil, err
	}
	c.kube, err = client.New(c.plane.Config(), client.Options{Scheme: suite.Scheme()})
	return c, err
})

// vaultNames are the vaults of the tests.
var vaultNames = []string{"publish", "cost", "rights", "rollback", "leader", "lease", "look", "request", "url", "waves"}

// world is one test's part of the cluster: a vault, its nodes and its certificates.
type world struct {
	*cluster
	t     *testing.T
	name  string
	vault *vaulttest.Vault
	watch *versionwatch.Watch
	stop  func()
}

// newWorld returns a test's part of the cluster, with a controller that watches its vault only.
func newWorld(t *testing.T, name string) *world {
	t.Helper()
	controlplane.SkipWithout(t)
	t.Parallel()
	c, err := shared()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{cluster: c, t: t, name: name, vault: c.server.Vault(name)}
	w.start()
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// start starts a controller with the rights of its service account, as another leader would.
func (w *world) start() {
	w.t.Helper()
	kube, err := w.plane.UserConfig("system:serviceaccount:"+install.Namespace+":"+install.Controller, "system:serviceaccounts", "system:serviceaccounts:"+install.Namespace)
	w.must(err)
	unnamed, soon := true, time.Second
	options := rollup.CacheOptions(install.Namespace)
	for object, one := range options.ByObject { // the other tests' certificates are other controllers'
		if _, isCertificate := object.(*v1alpha1.ObservedCertificate); isCertificate {
			one.Label = labels.SelectorFromSet(labels.Set{"world": w.name})
			options.ByObject[object] = one
		}
	}
	mgr, err := ctrl.NewManager(kube, ctrl.Options{
		Scheme: suite.Scheme(), Cache: options, Metrics: metricsserver.Options{BindAddress: "0"}, GracefulShutdownTimeout: &soon,
		Controller: config.Controller{SkipNameValidation: &unnamed},
	})
	w.must(err)
	vaults, err := keyvault.New(keyvault.Options{AllowedHosts: []string{"localhost"}, CABundle: w.server.CAPEM(), DisableChallengeResourceVerification: true})
	w.must(err)
	roll := &rollup.Rollup{
		Client: mgr.GetClient(), APIReader: mgr.GetAPIReader(), Events: mgr.GetEventRecorder("vaultpane-controller"), Now: time.Now,
		Registry: prometheus.NewRegistry(),
		Options:  rollup.Options{Namespace: install.Namespace, Agents: labels.SelectorFromSet(labels.Set{"world": w.name}), ExpiringSoon: time.Hour, WatchEvents: 5000},
	}
	w.watch = &versionwatch.Watch{
		Client: mgr.GetClient(), Vaults: vaults, Changed: roll.Refresh, Now: time.Now, Registry: prometheus.NewRegistry(),
		Options: versionwatch.Options{Namespace: install.Namespace, Interval: interval, Workers: 4},
	}
	roll.Versions = w.watch
	w.must(w.watch.SetupWithManager(w.t.Context(), mgr))
	w.must(roll.SetupWithManager(mgr))
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	w.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil && !errors.Is(err, context.Canceled) {
			w.t.Errorf("the controller ended: %v", err)
		}
	})
	w.t.Cleanup(w.stop)
}

// put makes a certificate in the vault.
func (w *world) put(name string) {
	w.t.Helper()
	_, err := w.vault.Put(name, vaulttest.CertificateOptions{KeyType: vaulttest.P256})
	w.must(err)
}

// rotate makes another version, and returns its id.
func (w *world) rotate(name string) string {
	w.t.Helper()
	_, err := w.vault.Rotate(name)
	w.must(err)
	versions := w.vault.Versions(name)
	return versions[len(versions)-1]
}

// observe creates an ObservedCertificate of a secret.
func (w *world) observe(name, secret string, changes ...func(*v1alpha1.ObservedCertificateSpec)) {
	w.t.Helper()
	certificate := &v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: w.name + "-" + name, Labels: map[string]string{"world": w.name}},
		Spec: v1alpha1.ObservedCertificateSpec{
			URL:          w.vault.SecretURL(secret),
			NodeSelector: &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"world": v1alpha1.LabelValue(w.name)}},
		},
	}
	for _, change := range changes {
		change(&certificate.Spec)
	}
	w.must(w.kube.Create(w.t.Context(), certificate))
}

func (w *world) get(name string) *v1alpha1.ObservedCertificate {
	w.t.Helper()
	certificate := &v1alpha1.ObservedCertificate{}
	w.must(w.kube.Get(w.t.Context(), client.ObjectKey{Name: w.name + "-" + name}, certificate))
	return certificate
}

// eventually waits until a certificate's status fits.
func (w *world) eventually(name, what string, fits func(*v1alpha1.ObservedCertificate) bool) *v1alpha1.ObservedCertificate {
	w.t.Helper()
	var last *v1alpha1.ObservedCertificate
	await.That(w.t, name+" "+what, func() (bool, error) {
		last = w.get(name)
		if fits(last) {
			return true, nil
		}
		return false, &unfit{last.Status}
	})
	return last
}

type unfit struct {
	status v1alpha1.ObservedCertificateStatus
}

func (u *unfit) Error() string {
	text := "latest version "
	if u.status.LatestVersion != nil {
		text += u.status.LatestVersion.Version
	}
	for _, condition := range u.status.Conditions {
		text += "; " + condition.Type + " " + string(condition.Status) + " " + condition.Reason
	}
	return text
}

// publishes waits until a certificate's status has a version as the latest, and the condition says that it is watched.
func (w *world) publishes(name, version string) *v1alpha1.ObservedCertificate {
	w.t.Helper()
	return w.eventually(name, "has the latest version "+version, func(c *v1alpha1.ObservedCertificate) bool {
		condition := watchedOf(c)
		return c.Status.LatestVersion != nil && c.Status.LatestVersion.Version == version &&
			condition.Status == metav1.ConditionTrue && condition.ObservedGeneration == c.Generation
	})
}

func watchedOf(c *v1alpha1.ObservedCertificate) metav1.Condition {
	if condition := meta.FindStatusCondition(c.Status.Conditions, v1alpha1.ConditionVersionWatched); condition != nil {
		return *condition
	}
	return metav1.Condition{}
}

// join creates nodes that run the agent.
func (w *world) join(names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.must(w.kube.Create(w.t.Context(), &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: w.name + "-" + name, Labels: map[string]string{"world": w.name}}}))
	}
}
