package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/test/winetest"
)

var myStore = certstore.Ref{Location: certstore.LocalMachine, Name: certstore.StoreMY}

// objects are the ObservedCertificates that target the machine, by name.
type objects map[string]*v1alpha1.ObservedCertificate

// Get implements Certificates.
func (o objects) Get(_ context.Context, name string) (*v1alpha1.ObservedCertificate, error) {
	return o[name], nil
}

// List implements Certificates.
func (o objects) List(context.Context) ([]v1alpha1.ObservedCertificate, error) {
	var list []v1alpha1.ObservedCertificate
	for _, one := range o {
		list = append(list, *one)
	}
	slices.SortFunc(list, func(a, b v1alpha1.ObservedCertificate) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// reports keeps what is reported, by name.
type reports struct {
	mu      sync.Mutex
	entries map[string]v1alpha1.CertificateEntry
}

// Set implements Reports.
func (r *reports) Set(entry v1alpha1.CertificateEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries == nil {
		r.entries = map[string]v1alpha1.CertificateEntry{}
	}
	r.entries[entry.Name] = entry
}

// Drop implements Reports.
func (r *reports) Drop(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.entries, name)
}

// Names implements Reports.
func (r *reports) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var names []string
	for name := range r.entries {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// newEngine returns an engine with a directory store that certificates target. No vault answers.
func newEngine(t *testing.T, certificates ...*v1alpha1.ObservedCertificate) *Engine {
	t.Helper()
	store, err := directory.New(winetest.TempDir(t))
	if err != nil {
		t.Fatal(err)
	}
	return engineWith(store, objectsOf(certificates...))
}

func engineWith(store certstore.Store, certificates objects) *Engine {
	return &Engine{
		Store: store, Machine: directory.Machine{}, Certificates: certificates, Reports: &reports{},
		Metrics: NewMetrics(prometheus.NewRegistry(), "test"), Now: time.Now,
		Options: Options{MachineName: "node", Started: time.Now()},
	}
}

func objectsOf(certificates ...*v1alpha1.ObservedCertificate) objects {
	found := objects{}
	for _, one := range certificates {
		found[one.Name] = one
	}
	return found
}

// observed returns an ObservedCertificate that was created before the agent started.
func observed(name string, change ...func(*v1alpha1.ObservedCertificate)) *v1alpha1.ObservedCertificate {
	c := certificate(change...)
	c.Name, c.UID, c.Generation = name, types.UID(name+"-uid"), 1
	c.CreationTimestamp = metav1.NewTime(time.Now().Add(-time.Hour))
	return c
}

// install installs a certificate into MY for an ObservedCertificate, and returns its thumbprint.
func install(t *testing.T, e *Engine, name, uid, policy string) string {
	t.Helper()
	item := storetest.RSAItem(t, name)
	item.Access = certstore.KeyAccess(certstore.LocalMachine, nil)
	item.Mark = certstore.Mark{Role: certstore.RoleLeaf, Name: name, UID: uid, Version: "v", DeletionPolicy: policy}
	entry, err := e.Store.Install(myStore, item)
	if err != nil {
		t.Fatal(err)
	}
	if err := e.view().Refresh(myStore); err != nil {
		t.Fatal(err)
	}
	return entry.Thumbprint
}

func isInstalled(t *testing.T, e *Engine, thumbprint string) bool {
	t.Helper()
	entry, err := e.Store.Find(myStore, thumbprint)
	if err != nil {
		t.Fatal(err)
	}
	return entry != nil && entry.Key == certstore.KeyPresent
}

// processed is the record of a certificate that was polled.
func processed(c *v1alpha1.ObservedCertificate, thumbprint string) record {
	return record{
		uid: c.UID, place: place{ref: myStore, thumbprint: thumbprint, version: "v"},
		poll: pollRecord{generation: c.Generation, at: time.Now()},
	}
}

// checkOnce checks the stores and returns what is queued for repair.
func checkOnce(t *testing.T, e *Engine) []string {
	t.Helper()
	var queued []string
	if err := e.Check(t.Context(), func(name string) { queued = append(queued, name) }); err != nil {
		t.Fatal(err)
	}
	return queued
}

func TestAfterARestartAReusedNameIsAnotherCertificate(t *testing.T) {
	again := observed("web")
	e := newEngine(t, again)
	thumbprint := install(t, e, "web", "earlier-uid", "Retain")
	e.Previous = map[string]v1alpha1.CertificateEntry{"web": {Name: "web", Generation: 1, Version: "v", Thumbprint: thumbprint}}
	if got := e.begin(again).before; got.poll.generation != 0 || got.place.thumbprint != "" {
		t.Errorf("it resumes generation %d and thumbprint %s of the earlier one", got.poll.generation, got.place.thumbprint)
	}
	mine := install(t, e, "web", string(again.UID), "Retain")
	e.memory.forget("web")
	e.Previous["web"] = v1alpha1.CertificateEntry{Name: "web", Generation: 1, Version: "v", Thumbprint: mine}
	if got := e.begin(again).before; got.poll.generation != 1 || got.place.thumbprint != mine {
		t.Errorf("its own is polled again: generation %d, thumbprint %q", got.poll.generation, got.place.thumbprint)
	}
}

func TestAfterARestartAFailureStaysReportedUntilThePoll(t *testing.T) {
	web := observed("web")
	e := newEngine(t, web)
	since := metav1.NewTime(web.CreationTimestamp.Add(time.Minute))
	e.Previous = map[string]v1alpha1.CertificateEntry{"web": {
		Name: "web", Generation: 1, Thumbprint: "AA", State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonSecretDisabled, Message: "why", Since: &since,
	}}
	out := outcome{task: e.begin(web), observation: observation{entry: v1alpha1.CertificateEntry{Name: "web", Thumbprint: "AA"}}}
	got := remember(out, noon, 0).entry
	if got.State != v1alpha1.StateFailed || got.Reason != v1alpha1.ReasonSecretDisabled || got.Message != "why" || got.Since == nil || got.Generation != 0 {
		t.Errorf("before the first poll it reports %+v", got)
	}
}

func TestAfterARestartAFailedPollIsRepeated(t *testing.T) {
	for _, test := range []struct {
		name   string
		reason v1alpha1.Reason
		polls  bool
	}{
		{"no failure", "", false},
		{"a link was declined", v1alpha1.ReasonLinkDeclined, false},
		{"the vault was unreachable", v1alpha1.ReasonVaultUnreachable, true},
		{"the secret was disabled", v1alpha1.ReasonSecretDisabled, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			web := observed("web")
			e := newEngine(t, web)
			thumbprint := install(t, e, "web", string(web.UID), "Retain")
			e.Previous = map[string]v1alpha1.CertificateEntry{"web": {Name: "web", Generation: 1, Version: "v", Thumbprint: thumbprint, Reason: test.reason}}
			known := e.begin(web).before
			if known.place.generation != 1 {
				t.Errorf("it is installed as generation %d", known.place.generation)
			}
			got := decide(known, situation{certificate: web, machine: "node", source: "u", has: installed{inPlace: true}, now: e.Now(), started: e.Now(), lastAlive: e.Now()})
			if got.poll != test.polls {
				t.Errorf("a poll is due: %t, want %t (%+v)", got.poll, test.polls, got)
			}
		})
	}
}

func TestWhatWasReportedOfAnEarlierObjectOfTheNameIsForgotten(t *testing.T) {
	web := observed("web")
	e := newEngine(t, web)
	since := metav1.NewTime(web.CreationTimestamp.Add(-time.Hour))
	before := v1alpha1.CertificateEntry{Name: "web", Generation: 1, State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonSecretNotFound, Since: &since}
	e.Previous = map[string]v1alpha1.CertificateEntry{"web": before}
	e.Reports.Set(before)
	if got := e.begin(web).before; got.entry.Since != nil || got.entry.Reason != "" {
		t.Errorf("it resumes %+v", got.entry)
	}
	if names := e.Reports.Names(); len(names) != 0 {
		t.Errorf("still reported are %v", names)
	}
}

func TestAReportOfWhatWasDeletedWhileTheAgentDidNotRunIsDropped(t *testing.T) {
	e := newEngine(t, observed("web"))
	e.Reports.Set(v1alpha1.CertificateEntry{Name: "gone", Thumbprint: "AA"})
	e.Reports.Set(v1alpha1.CertificateEntry{Name: "web", Thumbprint: "BB"})
	checkOnce(t, e)
	if names := e.Reports.Names(); len(names) != 1 || names[0] != "web" {
		t.Errorf("it reports %v, want web", names)
	}
}

func TestNothingIsRemovedUntilEveryCertificateWasPolledOnce(t *testing.T) {
	web := observed("web")
	e := newEngine(t, web)
	thumbprint := install(t, e, "gone", "gone-uid", "Delete")
	e.begin(web) // waits for its first poll, which will find the same certificate
	checkOnce(t, e)
	if !isInstalled(t, e, thumbprint) {
		t.Fatal("the certificate was removed before it was known which ObservedCertificates share it")
	}
	e.memory.put("web", processed(web, thumbprint))
	checkOnce(t, e)
	entry, err := e.Store.Find(myStore, thumbprint)
	if err != nil || entry == nil || entry.Mark.UID != string(web.UID) {
		t.Errorf("it did not pass to the ObservedCertificate that shares it: %+v, error %v", entry, err)
	}
}

func TestACertificateWithAnUnreadableSelectorDelaysNoRemoval(t *testing.T) {
	e := newEngine(t, observed("web", func(c *v1alpha1.ObservedCertificate) {
		c.Spec.NodeSelector = &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"no label": "x"}}
	}))
	thumbprint := install(t, e, "gone", "gone-uid", "Delete")
	checkOnce(t, e)
	if isInstalled(t, e, thumbprint) {
		t.Error("a certificate that no ObservedCertificate needs is still there")
	}
}

func TestNothingIsRemovedWhileCertificatesMayBeUnknown(t *testing.T) {
	e := newEngine(t)
	thumbprint := install(t, e, "gone", "gone-uid", "Delete")
	e.Reports.Set(v1alpha1.CertificateEntry{Name: "gone", Thumbprint: thumbprint})
	incomplete := true
	e.Incomplete = func() bool { return incomplete }
	checkOnce(t, e)
	if names := e.Reports.Names(); !isInstalled(t, e, thumbprint) || len(names) != 1 {
		t.Errorf("the certificate is there: %t, and reported are %v", isInstalled(t, e, thumbprint), names)
	}
	incomplete = false
	checkOnce(t, e)
	if names := e.Reports.Names(); isInstalled(t, e, thumbprint) || len(names) != 0 {
		t.Errorf("when all are known it is still there: %t, and reported are %v", isInstalled(t, e, thumbprint), names)
	}
}

// partlyBroken is a store of which one cannot be read.
type partlyBroken struct {
	certstore.Store
	broken string
}

func (s *partlyBroken) List(ref certstore.Ref) ([]certstore.Entry, error) {
	if ref.Name == s.broken {
		return nil, &certstore.Error{Operation: "listing the certificates", Ref: ref, Err: errors.New("it is broken")}
	}
	return s.Store.List(ref)
}

func TestAStoreThatCannotBeReadDoesNotStopTheOthers(t *testing.T) {
	web := observed("web")
	e := newEngine(t, web)
	store := &partlyBroken{Store: e.Store}
	e.Store = store
	orphan := install(t, e, "gone", "gone-uid", "Delete")
	if err := e.view().Refresh(certstore.Ref{Location: certstore.LocalMachine, Name: "ADDRESSBOOK"}); err != nil {
		t.Fatal(err)
	}
	store.broken = "ADDRESSBOOK"
	e.memory.put("web", processed(web, "AA")) // not in the store
	var queued []string
	err := e.Check(t.Context(), func(name string) { queued = append(queued, name) })
	if err == nil || !strings.Contains(err.Error(), "ADDRESSBOOK") {
		t.Errorf("got error %v, want the broken store in it", err)
	}
	if !slices.Equal(queued, []string{"web"}) {
		t.Errorf("queued for repair are %v, want the missing certificate of another store", queued)
	}
	if isInstalled(t, e, orphan) {
		t.Error("the certificate that no ObservedCertificate needs is still there")
	}
}

func TestWhatWasNeverProcessedIsLeftToTheStoreCheck(t *testing.T) {
	e := newEngine(t)
	thumbprint := install(t, e, "gone", "gone-uid", "Delete")
	if err := e.Release(t.Context(), "gone"); err != nil {
		t.Fatal(err)
	}
	if !isInstalled(t, e, thumbprint) {
		t.Error("releasing a certificate that was never processed caused a sweep")
	}
	checkOnce(t, e)
	if isInstalled(t, e, thumbprint) {
		t.Error("the store check left it")
	}
}

// replacedStore is a store of which another tool has replaced every certificate since it was listed.
type replacedStore struct{ certstore.Store }

func (s replacedStore) Find(ref certstore.Ref, thumbprint string) (*certstore.Entry, error) {
	entry, err := s.Store.Find(ref, thumbprint)
	if entry != nil {
		unmarked := *entry
		unmarked.Mark = nil
		entry = &unmarked
	}
	return entry, err
}

func TestACertificateThatWasReplacedSinceTheLastCheckIsNotRemoved(t *testing.T) {
	e := newEngine(t)
	thumbprint := install(t, e, "gone", "gone-uid", "Delete")
	e.Store = replacedStore{e.Store}
	if err := e.sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !isInstalled(t, e, thumbprint) {
		t.Error("a certificate without mark was removed")
	}
}

// busyVault is a vault whose requests are deferred.
type busyVault struct{ after time.Duration }

func (v busyVault) Get(context.Context, keyvault.SecretURL, string, time.Time) (keyvault.Secret, error) {
	return keyvault.Secret{}, &keyvault.Deferred{After: v.after}
}

func TestADeferredRequestIsRepeatedAndIsNoFailure(t *testing.T) {
	fresh, failed := observed("fresh"), observed("failed")
	for _, one := range []*v1alpha1.ObservedCertificate{fresh, failed} {
		one.Spec.URL = "https://shop.vault.azure.net/secrets/" + one.Name
	}
	e := newEngine(t, fresh, failed)
	now := time.Now()
	e.Secrets, e.Now = busyVault{3 * time.Second}, func() time.Time { return now }
	e.memory.put("failed", record{
		uid: failed.UID, poll: pollRecord{generation: 1, attempt: 4, nextAttempt: time.Now().Add(-time.Minute)},
		entry: v1alpha1.CertificateEntry{Name: "failed", Generation: 1, State: v1alpha1.StatePending, Reason: v1alpha1.ReasonThrottled, Message: "m"},
	})
	for _, one := range []*v1alpha1.ObservedCertificate{fresh, failed} {
		if result := e.Process(t.Context(), one); !result.Next.Equal(now.Add(3*time.Second)) || len(result.Warnings) > 0 {
			t.Errorf("%s: got %+v, want it processed again in 3s", one.Name, result)
		}
	}
	if got, _ := e.memory.get("fresh"); got.poll.attempt != 0 || got.poll.generation != 0 {
		t.Errorf("it counts as an attempt: %+v", got)
	}
	if got, _ := e.memory.get("failed"); got.poll.attempt != 4 || got.entry.Reason != v1alpha1.ReasonThrottled || got.entry.Message != "m" {
		t.Errorf("what was known is forgotten: %+v", got)
	}
}
