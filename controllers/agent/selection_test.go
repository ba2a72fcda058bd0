package agent

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/agent/report"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
	"github.com/vaultpane/vaultpane/internal/engine"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/test/suite"
	"github.com/vaultpane/vaultpane/test/winetest"
)

// newReconciler returns a reconciler of "node" with a directory store, over objects in memory: for what is decided about the
// Node. The vault has one secret.
func newReconciler(t *testing.T, objects ...client.Object) *Reconciler {
	t.Helper()
	kube := fake.NewClientBuilder().WithScheme(suite.Scheme()).WithObjects(objects...).Build()
	store, err := directory.New(winetest.TempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	reporter := &report.Reporter{Client: kube, Node: "node", NodeUID: "node-uid", Now: time.Now}
	if _, err := reporter.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	selection := Selection{Client: kube, Node: "node"}
	certificates := &engine.Engine{
		Certificates: selection, Reports: reporter,
		Store: store, Machine: directory.Machine{}, Secrets: newOneSecret(t), Now: time.Now,
		Metrics: engine.NewMetrics(prometheus.NewRegistry(), "test"), Options: engine.Options{MachineName: "node", Started: time.Now()},
	}
	return New(Options{Workers: 1}, selection, certificates, reporter, events.NewFakeRecorder(100))
}
func TestTargetsNode(t *testing.T) {
	windows := labels.Set{"kubernetes.io/os": "windows", "pool": "web"}
	tests := []struct {
		name     string
		selector *v1alpha1.NodeSelector
		node     labels.Set
		want     bool
	}{
		{"no selector means every node", nil, windows, true},
		{"an empty selector too", &v1alpha1.NodeSelector{}, nil, true},
		{"all labels fit", &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": "web"}}, windows, true},
		{"one does not", &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": "sql"}}, windows, false},
		{"an expression", &v1alpha1.NodeSelector{MatchExpressions: []v1alpha1.NodeSelectorRequirement{{Key: "gpu", Operator: metav1.LabelSelectorOpDoesNotExist}}}, windows, true},
		{"a node without labels", &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": "web"}}, nil, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := &v1alpha1.ObservedCertificate{Spec: v1alpha1.ObservedCertificateSpec{NodeSelector: test.selector}}
			if got, err := targetsNode(c, test.node); err != nil || got != test.want {
				t.Errorf("got %v, error %v, want %v", got, err, test.want)
			}
		})
	}
}

// oneSecret is a vault with one secret.
type oneSecret struct{ pem []byte }

func newOneSecret(t *testing.T) oneSecret {
	t.Helper()
	item := storetest.RSAItem(t, "web")
	key, err := x509.MarshalPKCS8PrivateKey(item.Key)
	if err != nil {
		t.Fatal(err)
	}
	return oneSecret{slices.Concat(
		pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: item.Certificate.Raw}),
	)}
}

// Get implements engine.SecretSource.
func (s oneSecret) Get(context.Context, keyvault.SecretURL, string, time.Time) (keyvault.Secret, error) {
	return keyvault.Secret{Value: bytes.Clone(s.pem), ContentType: bundle.ContentTypePEM, Version: "v"}, nil
}

func nodeWith(labels map[string]string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node", UID: "node-uid", Labels: labels}}
}

// webCertificate targets the nodes of the pool "web", and is removed from others.
func webCertificate() *v1alpha1.ObservedCertificate {
	return &v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "web-uid", Generation: 1, CreationTimestamp: metav1.NewTime(time.Now().Add(-time.Hour))},
		Spec: v1alpha1.ObservedCertificateSpec{
			URL: "https://v.vault.azure.net/secrets/web", CertificateStoreName: "MY", PollingIntervalInS: 3600,
			DeletionPolicy: v1alpha1.DeletionDelete,
			NodeSelector:   &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": "web"}},
		},
	}
}

func (r *Reconciler) reconcileWeb(t *testing.T) {
	t.Helper()
	if _, err := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Name: "web"}}); err != nil {
		t.Fatal(err)
	}
	if err := r.Engine.Check(t.Context(), func(string) {}); err != nil {
		t.Fatal(err)
	}
}

// installed returns how many certificates MY has.
func (r *Reconciler) installed(t *testing.T) int {
	t.Helper()
	entries, err := r.Engine.Store.List(certstore.Ref{Location: certstore.LocalMachine, Name: certstore.StoreMY})
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestWithoutItsNodeNothingIsReleased(t *testing.T) {
	node := nodeWith(map[string]string{"pool": "web"})
	r := newReconciler(t, node, webCertificate())
	r.reconcileWeb(t)
	if got := r.installed(t); got != 1 {
		t.Fatalf("%d certificates are installed, want 1", got)
	}
	kube := r.Selection.Client
	if err := kube.Delete(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	r.reconcileWeb(t)
	if got := r.installed(t); got != 1 {
		t.Error("the machine lost its certificate together with its Node")
	}
	if names := r.Reporter.Names(); len(names) != 1 {
		t.Errorf("it reports %v", names)
	}
	if err := kube.Create(t.Context(), nodeWith(map[string]string{"pool": "sql"})); err != nil {
		t.Fatal(err)
	}
	r.reconcileWeb(t)
	if got := r.installed(t); got != 0 {
		t.Error("the Node exists again with other labels, and the certificate is still there")
	}
}

func TestACertificateThatWaitsForItsFinalizersIsReleased(t *testing.T) {
	web := webCertificate()
	web.Finalizers = []string{"example.com/keep"}
	r := newReconciler(t, nodeWith(map[string]string{"pool": "web"}), web)
	r.reconcileWeb(t)
	if got := r.installed(t); got != 1 {
		t.Fatalf("%d certificates are installed, want 1", got)
	}
	if err := r.Selection.Client.Delete(t.Context(), web); err != nil {
		t.Fatal(err)
	}
	r.reconcileWeb(t)
	if got := r.installed(t); got != 0 {
		t.Error("the certificate is still there")
	}
}

func TestWhatTargetsTheNode(t *testing.T) {
	unreadable := webCertificate()
	unreadable.Name, unreadable.Spec.NodeSelector = "unreadable", &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"no label": "x"}}
	other := webCertificate()
	other.Name, other.Spec.NodeSelector.MatchLabels["pool"] = "other", "sql"
	s := newReconciler(t, nodeWith(map[string]string{"pool": "web"}), webCertificate(), unreadable, other).Selection
	listed, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, one := range listed {
		names = append(names, one.Name)
	}
	if !slices.Equal(names, []string{"unreadable", "web"}) {
		t.Errorf("listed are %v, want those that target the node and those that cannot be read, which must not be removed", names)
	}
	for name, want := range map[string]bool{"web": true, "unreadable": false, "other": false, "none": false} {
		if got, err := s.Get(t.Context(), name); err != nil || (got != nil) != want {
			t.Errorf("%s: it is processed: %t, error %v, want %t", name, got != nil, err, want)
		}
	}
}
