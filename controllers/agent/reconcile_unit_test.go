package agent

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/agent/report"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

var myStore = certstore.Ref{Location: certstore.LocalMachine, Name: certstore.StoreMY}

// reconcilerOver returns a reconciler of "node" with a directory store, over objects in memory: for what the decisions
// between two polls are made of. No vault answers.
func reconcilerOver(t *testing.T, objects ...client.Object) *Reconciler {
	t.Helper()
	kube := clusterOf(t, objects...)
	store, err := directory.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	reporter := &report.Reporter{Client: kube, Node: "node", NodeUID: "node-uid", Now: time.Now}
	if _, err := reporter.Load(t.Context()); err != nil {
		t.Fatal(err)
	}
	r := &Reconciler{
		Client: kube, Store: store, Machine: directory.Machine{}, Reporter: reporter, Events: events.NewFakeRecorder(100),
		Metrics: NewMetrics(prometheus.NewRegistry(), "test"), Now: time.Now,
		Options: Options{Node: "node", Workers: 1, Started: time.Now()},
	}
	r.inventory.store = store
	r.recheck = make(chan event.TypedGenericEvent[string], 100)
	return r
}

// clusterOf returns a client of objects in memory.
func clusterOf(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	return fake.NewClientBuilder().WithScheme(scheme).WithObjects(objects...).Build()
}

func nodeObject(labels map[string]string) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node", UID: "node-uid", Labels: labels}}
}

// wishFor returns an ObservedCertificate that was made before the agent started.
func wishFor(name string, change ...func(*v1alpha1.ObservedCertificate)) *v1alpha1.ObservedCertificate {
	c := certificate(change...)
	c.Name, c.UID, c.Generation = name, types.UID(name+"-uid"), 1
	c.CreationTimestamp = metav1.NewTime(time.Now().Add(-time.Hour))
	return c
}

// stored installs a certificate into MY for an ObservedCertificate.
func stored(t *testing.T, r *Reconciler, name, uid, policy string) string {
	t.Helper()
	item := storetest.RSAItem(t, name)
	item.Access = certstore.KeyAccess(certstore.LocalMachine, nil)
	item.Mark = certstore.Mark{Role: certstore.RoleLeaf, Name: name, UID: uid, Version: "v", DeletionPolicy: policy}
	entry, err := r.Store.Install(myStore, item)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.inventory.refresh(myStore); err != nil {
		t.Fatal(err)
	}
	return entry.Thumbprint
}

func holdsIt(t *testing.T, r *Reconciler, thumbprint string) bool {
	t.Helper()
	entry, err := r.Store.Find(myStore, thumbprint)
	if err != nil {
		t.Fatal(err)
	}
	return entry != nil && entry.Key == certstore.KeyPresent
}

func TestAfterARestartANameThatIsUsedAnewIsAnotherCertificate(t *testing.T) {
	again := wishFor("web")
	r := reconcilerOver(t, nodeObject(nil), again)
	thumbprint := stored(t, r, "web", "earlier-uid", "Retain")
	r.Previous = map[string]v1alpha1.CertificateEntry{"web": {Name: "web", Generation: 1, Version: "v", Thumbprint: thumbprint}}
	if got := r.recall(again); got.generation != 0 || got.thumbprint != "" {
		t.Errorf("it takes over generation %d and thumbprint %s of the earlier one", got.generation, got.thumbprint)
	}
	mine := stored(t, r, "web", string(again.UID), "Retain")
	r.records.forget("web")
	r.Previous["web"] = v1alpha1.CertificateEntry{Name: "web", Generation: 1, Version: "v", Thumbprint: mine}
	if got := r.recall(again); got.generation != 1 || got.thumbprint != mine {
		t.Errorf("its own is polled again: generation %d, thumbprint %q", got.generation, got.thumbprint)
	}
}

func TestAfterARestartAFailureStaysReportedUntilThePoll(t *testing.T) {
	web := wishFor("web")
	r := reconcilerOver(t, nodeObject(nil), web)
	since := metav1.NewTime(web.CreationTimestamp.Add(time.Minute))
	r.Previous = map[string]v1alpha1.CertificateEntry{"web": {
		Name: "web", Generation: 1, Thumbprint: "AA", State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonSecretDisabled, Message: "why", Since: &since,
	}}
	remembered := r.recall(web)
	got := remember(web, outcome{remembered: remembered, entry: v1alpha1.CertificateEntry{Name: "web", Thumbprint: "AA"}}, noon, 0).entry
	if got.State != v1alpha1.StateFailed || got.Reason != v1alpha1.ReasonSecretDisabled || got.Message != "why" || got.Since == nil || got.Generation != 0 {
		t.Errorf("before the first poll it reports %+v", got)
	}
}

func TestAfterARestartAPollThatFailedIsMadeAgain(t *testing.T) {
	for _, test := range []struct {
		name   string
		reason v1alpha1.Reason
		polls  bool
	}{
		{"all was well", "", false},
		{"a link was declined", v1alpha1.ReasonLinkDeclined, false},
		{"the vault was away", v1alpha1.ReasonVaultUnreachable, true},
		{"the secret was disabled", v1alpha1.ReasonSecretDisabled, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			web := wishFor("web")
			r := reconcilerOver(t, nodeObject(nil), web)
			thumbprint := stored(t, r, "web", string(web.UID), "Retain")
			r.Previous = map[string]v1alpha1.CertificateEntry{"web": {Name: "web", Generation: 1, Version: "v", Thumbprint: thumbprint, Reason: test.reason}}
			remembered := r.recall(web)
			if remembered.installed != 1 {
				t.Errorf("it is installed as generation %d", remembered.installed)
			}
			got := decide(remembered, moment{certificate: web, node: "node", url: "u", inPlace: true, now: r.Now(), started: r.Now(), lastAlive: r.Now()})
			if got.poll != test.polls {
				t.Errorf("a poll is due: %t, want %t (%+v)", got.poll, test.polls, got)
			}
		})
	}
}

func TestWhatWasReportedOfAnEarlierObjectOfTheNameIsForgotten(t *testing.T) {
	web := wishFor("web")
	r := reconcilerOver(t, nodeObject(nil), web)
	since := metav1.NewTime(web.CreationTimestamp.Add(-time.Hour))
	before := v1alpha1.CertificateEntry{Name: "web", Generation: 1, State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonSecretNotFound, Since: &since}
	r.Previous = map[string]v1alpha1.CertificateEntry{"web": before}
	r.Reporter.Set(before)
	if got := r.recall(web); got.entry.Since != nil || got.entry.Reason != "" {
		t.Errorf("it takes over %+v", got.entry)
	}
	if names := r.Reporter.Names(); len(names) != 0 {
		t.Errorf("reported are still %v", names)
	}
}

func TestWithoutItsNodeNothingIsLetGo(t *testing.T) {
	deleting := func(c *v1alpha1.ObservedCertificate) { c.Spec.DeletionPolicy = v1alpha1.DeletionDelete }
	web := wishFor("web", deleting, func(c *v1alpha1.ObservedCertificate) {
		c.Spec.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"pool": "web"}}
	})
	node := nodeObject(map[string]string{"pool": "web"})
	r := reconcilerOver(t, node, web)
	thumbprint := stored(t, r, "web", string(web.UID), "Delete")
	r.records.put("web", record{uid: web.UID, generation: 1, ref: myStore, thumbprint: thumbprint, polledAt: time.Now()})
	r.Reporter.Set(v1alpha1.CertificateEntry{Name: "web", Thumbprint: thumbprint})
	if err := r.Delete(t.Context(), node); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Reconcile(t.Context(), requestFor("web")); err != nil {
		t.Fatal(err)
	}
	if err := r.check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !holdsIt(t, r, thumbprint) {
		t.Error("with its Node the machine lost a certificate")
	}
	if names := r.Reporter.Names(); len(names) != 1 {
		t.Errorf("it reports %v", names)
	}
	if err := r.Create(t.Context(), nodeObject(map[string]string{"pool": "sql"})); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Reconcile(t.Context(), requestFor("web")); err != nil {
		t.Fatal(err)
	}
	if holdsIt(t, r, thumbprint) {
		t.Error("the Node is back with other labels, and the certificate is still there")
	}
}

func requestFor(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
}

// looked is the record of a certificate that was polled.
func looked(c *v1alpha1.ObservedCertificate, thumbprint string) record {
	return record{uid: c.UID, generation: c.Generation, ref: myStore, thumbprint: thumbprint, version: "v", polledAt: time.Now()}
}

func checked(t *testing.T, r *Reconciler) {
	t.Helper()
	if err := r.check(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAReportOfWhatWasDeletedWhileTheAgentWasAwayIsDropped(t *testing.T) {
	web := wishFor("web")
	r := reconcilerOver(t, nodeObject(nil), web)
	r.Reporter.Set(v1alpha1.CertificateEntry{Name: "gone", Thumbprint: "AA"})
	r.Reporter.Set(v1alpha1.CertificateEntry{Name: "web", Thumbprint: "BB"})
	checked(t, r)
	if names := r.Reporter.Names(); len(names) != 1 || names[0] != "web" {
		t.Errorf("it reports %v, want web", names)
	}
}

func TestNothingIsRemovedUntilEveryWishWasPolledOnce(t *testing.T) {
	web := wishFor("web")
	r := reconcilerOver(t, nodeObject(nil), web)
	thumbprint := stored(t, r, "gone", "gone-uid", "Delete")
	r.recall(web) // waits for its first poll, which will find the same certificate
	checked(t, r)
	if !holdsIt(t, r, thumbprint) {
		t.Fatal("the certificate was removed before it was known who wants it")
	}
	r.records.put("web", looked(web, thumbprint))
	checked(t, r)
	entry, err := r.Store.Find(myStore, thumbprint)
	if err != nil || entry == nil || entry.Mark.UID != string(web.UID) {
		t.Errorf("it did not pass to the one that wants it: %+v, error %v", entry, err)
	}
}

func TestWhatHoldsUpNoRemoval(t *testing.T) {
	now := metav1.Now()
	tests := map[string]func(*v1alpha1.ObservedCertificate){
		"a certificate that waits for its finalizers": func(c *v1alpha1.ObservedCertificate) {
			c.DeletionTimestamp, c.Finalizers = &now, []string{"example.com/keep"}
		},
		"a selector that cannot be read": func(c *v1alpha1.ObservedCertificate) {
			c.Spec.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"no label": "x"}}
		},
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			r := reconcilerOver(t, nodeObject(nil), wishFor("web", change))
			thumbprint := stored(t, r, "gone", "gone-uid", "Delete")
			checked(t, r)
			if holdsIt(t, r, thumbprint) {
				t.Error("a certificate that nothing wants is still there")
			}
		})
	}
}

// partlyBroken is a store of which one cannot be read.
type partlyBroken struct {
	certstore.Store
	broken string
}

func (s partlyBroken) List(ref certstore.Ref) ([]certstore.Entry, error) {
	if ref.Name == s.broken {
		return nil, &certstore.Error{Operation: "listing the certificates", Ref: ref, Err: errors.New("it is broken")}
	}
	return s.Store.List(ref)
}

func TestAStoreThatCannotBeReadHoldsUpNoOther(t *testing.T) {
	web := wishFor("web")
	r := reconcilerOver(t, nodeObject(nil), web)
	orphan := stored(t, r, "gone", "gone-uid", "Delete")
	if err := r.inventory.refresh(certstore.Ref{Location: certstore.LocalMachine, Name: "ADDRESSBOOK"}); err != nil {
		t.Fatal(err)
	}
	r.inventory.store = partlyBroken{Store: r.Store, broken: "ADDRESSBOOK"}
	r.recheck = make(chan event.TypedGenericEvent[string], 1)
	r.records.put("web", looked(web, "AA")) // not in the store
	if err := r.check(t.Context()); err == nil || !strings.Contains(err.Error(), "ADDRESSBOOK") {
		t.Errorf("got error %v, want the broken store in it", err)
	}
	select {
	case queued := <-r.recheck:
		if queued.Object != "web" {
			t.Errorf("queued %s", queued.Object)
		}
	default:
		t.Error("the missing certificate of another store is not repaired")
	}
	if holdsIt(t, r, orphan) {
		t.Error("the certificate that nothing wants is still there")
	}
}

func TestWhatWasNeverHandledIsLeftToTheStoreCheck(t *testing.T) {
	r := reconcilerOver(t, nodeObject(nil))
	thumbprint := stored(t, r, "gone", "gone-uid", "Delete")
	r.release(t.Context(), "gone")
	if !holdsIt(t, r, thumbprint) {
		t.Error("a certificate that this agent never had to do with was swept for")
	}
	checked(t, r)
	if holdsIt(t, r, thumbprint) {
		t.Error("the store check left it")
	}
}

// taken is a store of which somebody else has replaced every certificate since it was listed.
type taken struct{ certstore.Store }

func (s taken) Find(ref certstore.Ref, thumbprint string) (*certstore.Entry, error) {
	entry, err := s.Store.Find(ref, thumbprint)
	if entry != nil {
		unmarked := *entry
		unmarked.Mark = nil
		entry = &unmarked
	}
	return entry, err
}

func TestWhatSomebodyElsePutThereSinceTheLastCheckIsNotRemoved(t *testing.T) {
	r := reconcilerOver(t, nodeObject(nil))
	thumbprint := stored(t, r, "gone", "gone-uid", "Delete")
	r.Store = taken{r.Store}
	if err := r.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !holdsIt(t, r, thumbprint) {
		t.Error("a certificate without mark was removed")
	}
}

func TestAnEventsNoteIsNoLongerThanTheAPIAccepts(t *testing.T) {
	got := noteOf(strings.Repeat("n", 253), problem{message: strings.Repeat("ü", 600), detail: "d", requestID: "r"})
	if len(got) > 1024 || len(got) < 1020 || !utf8.ValidString(got) {
		t.Errorf("got %d bytes, valid %v", len(got), utf8.ValidString(got))
	}
}

// crowded is a vault whose turn has not come.
type crowded struct{ after time.Duration }

func (c crowded) Get(context.Context, keyvault.SecretURL, string, time.Time) (keyvault.Secret, error) {
	return keyvault.Secret{}, &keyvault.Deferred{After: c.after}
}

func TestWhoseTurnHasNotComeComesBackAndIsNoFailure(t *testing.T) {
	fresh, failed := wishFor("fresh"), wishFor("failed")
	for _, wish := range []*v1alpha1.ObservedCertificate{fresh, failed} {
		wish.Spec.URL = "https://shop.vault.azure.net/secrets/" + wish.Name
	}
	r := reconcilerOver(t, nodeObject(nil), fresh, failed)
	now := time.Now()
	r.Secrets, r.Now = crowded{3 * time.Second}, func() time.Time { return now }
	before := record{
		uid: failed.UID, generation: 1, attempt: 4, nextAttempt: time.Now().Add(-time.Minute),
		entry: v1alpha1.CertificateEntry{Name: "failed", Generation: 1, State: v1alpha1.StatePending, Reason: v1alpha1.ReasonThrottled, Message: "m"},
	}
	r.records.put("failed", before)
	for _, name := range []string{"fresh", "failed"} {
		result, err := r.Reconcile(t.Context(), requestFor(name))
		if err != nil || result.RequeueAfter != 3*time.Second {
			t.Errorf("%s: looked at again after %s, error %v, want 3s", name, result.RequeueAfter, err)
		}
	}
	if got, _ := r.records.get("fresh"); got.attempt != 0 || got.generation != 0 {
		t.Errorf("it counts as an attempt: %+v", got)
	}
	if got, _ := r.records.get("failed"); got.attempt != 4 || got.entry.Reason != v1alpha1.ReasonThrottled || got.entry.Message != "m" {
		t.Errorf("what was known is forgotten: %+v", got)
	}
}
