package rollup

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/rollup/writequeue"
	"github.com/vaultpane/vaultpane/test/suite"
)

func entryOf(version string, days int) v1alpha1.CertificateEntry {
	end := metav1.NewTime(noon.Add(time.Duration(days) * 24 * time.Hour))
	return v1alpha1.CertificateEntry{Name: "web", Generation: 3, Version: version, Thumbprint: "T" + version, NotAfter: &end}
}

// The index observed the last rotation (v0 to v1). In the next one, a node that the autoscaler added is the first to have v2.
func TestANewNodeHasTheNextVersionFirst(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(testDesired(), noon)
	report := func(name, version string, days int) {
		x.observeNode(name, testNode(name, entryOf(version, days)), noon)
	}
	for _, n := range []string{"a", "b", "c"} {
		report(n, "v0", 10)
	}
	for _, n := range []string{"a", "b", "c"} {
		report(n, "v1", 100)
	}
	report("new", "v2", 190)
	for _, n := range []string{"a", "b"} { // these change from v1 to v2, so v2 is newer
		report(n, "v2", 190)
	}
	status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	if status.Version != "v2" || status.Nodes.Summary != "3/4" {
		t.Errorf("version %s on %s nodes, want v2 on 3/4: %s", status.Version, status.Nodes.Summary, readyOf(status).Message)
	}
}

// The first node with the new version fails for another reason (an account is missing).
func TestTheFirstNodeWithANewVersionFails(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(testDesired(), noon)
	report := func(name string, e v1alpha1.CertificateEntry) { x.observeNode(name, testNode(name, e), noon) }
	for _, v := range []string{"v0", "v1"} {
		for _, n := range []string{"a", "b", "c"} {
			report(n, entryOf(v, 100))
		}
	}
	report("a", with(entryOf("v2", 190), func(e *v1alpha1.CertificateEntry) {
		e.State, e.Reason = v1alpha1.StateFailed, v1alpha1.ReasonAccountNotFound
	}))
	report("b", entryOf("v2", 190))
	status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	if status.Version != "v2" {
		t.Errorf("version %s on %s nodes, want v2: %s", status.Version, status.Nodes.Summary, readyOf(status).Message)
	}
}

// The only node with the new version fails for a while and recovers.
func TestTheFirstNodeWithANewVersionRecovers(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(testDesired(), noon)
	report := func(name string, e v1alpha1.CertificateEntry) { x.observeNode(name, testNode(name, e), noon) }
	for _, v := range []string{"v0", "v1"} {
		for _, n := range []string{"a", "b", "c"} {
			report(n, entryOf(v, 100))
		}
	}
	report("a", entryOf("v2", 47))
	report("a", with(entryOf("v2", 47), func(e *v1alpha1.CertificateEntry) {
		e.State, e.Reason = v1alpha1.StateFailed, v1alpha1.ReasonAccountNotFound
	}))
	report("a", entryOf("v2", 47))
	status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	if status.Version != "v2" || status.Nodes.Summary != "1/3" {
		t.Errorf("version %s on %s nodes, want v2 on 1/3", status.Version, status.Nodes.Summary)
	}
}

// The controller restarts during a rotation to a certificate that expires earlier.
func TestARestartDuringARotationToAShorterValidity(t *testing.T) {
	w := testDesired()
	x := newIndex(windows)
	x.observeCertificate(w, noon)
	for _, n := range []string{"a", "b", "c"} {
		x.observeNode(n, testNode(n, entryOf("v1", 200)), noon)
	}
	for _, n := range []string{"a", "b"} {
		x.observeNode(n, testNode(n, entryOf("v2", 47)), noon)
	}
	before := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)

	w.last = held{before.Version, before.Thumbprint, before.NotAfter.Unix()} // as desiredOf reads it from the stored status
	again := newIndex(windows)
	again.observeCertificate(w, noon)
	for n, e := range map[string]v1alpha1.CertificateEntry{"a": entryOf("v2", 47), "b": entryOf("v2", 47), "c": entryOf("v1", 200)} {
		again.observeNode(n, testNode(n, e), noon)
	}
	after := statusFrom(again, before, time.Hour, noon)
	if before.Version != "v2" || after.Version != before.Version {
		t.Errorf("version %s %s before the restart, %s %s after it", before.Version, before.Nodes.Summary, after.Version, after.Nodes.Summary)
	}
}

// Two nodes whose agents stopped reporting have certificates that expire a day apart.
func TestTheSecondCertificateToExpire(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(testDesired(), noon)
	x.observeNode("a", testNode("a", entryOf("v1", 1)), noon)
	x.observeNode("b", testNode("b", entryOf("v2", 2)), noon)
	at := func(now time.Time) string {
		if len(x.tick(now)) == 0 {
			return "no certificate changed"
		}
		status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, now)
		return fmt.Sprint(status.Nodes.Failed, " failed")
	}
	statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	at(noon.Add(23 * time.Hour)) // expiring soon
	if got := at(noon.Add(24 * time.Hour)); got != "1 failed" {
		t.Errorf("after the first expiry: %s", got)
	}
	if got := at(noon.Add(48 * time.Hour)); got != "2 failed" {
		t.Errorf("after the second expiry: %s, want 2 failed", got)
	}
}

// The gauge that detects a stalled roll-up must show a status that cannot be written for an hour.
func TestTheOldestRollupWhileWritesFail(t *testing.T) {
	o, now := writequeue.New(), noon
	o.Add(now, "web")
	var ages []time.Duration
	for now.Before(noon.Add(time.Hour)) {
		due, next := o.Due(now)
		if len(due) == 0 {
			ages = append(ages, o.Oldest(now.Add(next.Sub(now)/2)))
			now = next
			continue
		}
		o.Take("web")
		o.Failed(due[0], now)
	}
	if got := o.Oldest(now); got < 30*time.Minute {
		t.Errorf("%d writes failed over an hour, and the oldest roll-up is %s old; between the writes it was: %v", len(ages), got, ages[len(ages)-5:])
	}
}

// A write that is delayed for longer than the maximum must not be overtaken by a more urgent one, or it may wait forever.
func TestOverdueWritesAreSortedByAge(t *testing.T) {
	writes := []pendingWrite{
		{Pending: writequeue.Pending{Name: "urgent", Since: noon.Add(-31 * time.Second)}, urgency: writequeue.NewReason},
		{Pending: writequeue.Pending{Name: "waits for an hour", Since: noon.Add(-time.Hour)}, urgency: writequeue.CountsAlone},
	}
	sortWrites(writes, noon)
	if writes[0].Name != "waits for an hour" {
		t.Errorf("%q goes first", writes[0].Name)
	}
}

// A Lease that changes was renewed at our own time, whatever the node's clock says.
func TestAgentsWithWrongClocks(t *testing.T) {
	for name, wrong := range map[string]time.Duration{"slow": -20 * time.Minute, "fast": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			w := testDesired()
			x := newIndex(windows)
			x.observeCertificate(w, noon)
			renew := func(now time.Time) {
				f, stamp := testNode("n", one), metav1.NewMicroTime(now.Add(wrong))
				f.lease.Spec.RenewTime = &stamp
				x.observeNode("n", f, now)
			}
			renew(noon.Add(-5 * time.Minute))
			renew(noon)
			if s, _, _ := evaluate(x.nodes["n"], &w, noon.Add(14*time.Minute)); s.stale {
				t.Error("an agent that renewed its Lease 14 minutes ago counts as not reporting")
			}
			if s, _, _ := evaluate(x.nodes["n"], &w, noon.Add(15*time.Minute)); !s.stale {
				t.Error("an agent that renewed its Lease 15 minutes ago counts as reporting")
			}
		})
	}
}

var fakeScheme = suite.Scheme()

// A Node is deleted while load lists objects.
func TestANodeDeletedWhileLoading(t *testing.T) {
	r := &Rollup{Now: func() time.Time { return noon }, Options: Options{Agents: windows, Namespace: "ns"}}
	base := fake.NewClientBuilder().WithScheme(fakeScheme).WithObjects(testNode("a").node, testNode("gone").node).Build()
	r.Client = interceptor.NewClient(base, interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, o ...client.ListOption) error {
		err := c.List(ctx, list, o...)
		if _, last := list.(*v1alpha1.ObservedCertificateList); last {
			// The other controller, which runs concurrently, handles the deletion.
			_ = base.Delete(ctx, testNode("gone").node)
			if _, err := r.reconcileNode(ctx, ctrl.Request{NamespacedName: types.NamespacedName{Name: "gone"}}); err != nil {
				t.Error(err)
			}
		}
		return err
	}})
	r.APIReader = r.Client
	r.index, r.queue, r.instruments = newIndex(windows), writequeue.New(), newInstruments()
	if err := r.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, there := r.index.nodes["gone"]; there {
		t.Error("a deleted Node counts until the controller restarts: no event about it follows")
	}
}

// publisherFor returns a publisher over a fake API server.
func publisherFor(x *index, queue *writequeue.Queue, c client.Client, recorder events.EventRecorder) *publisher {
	return &publisher{versions: noVersions{}, client: c, events: recorder, index: x, queue: queue, instruments: newInstruments(), now: func() time.Time { return noon },
		expiringSoon: time.Hour, budget: writequeue.NewBudget(5000), written: map[string]written{}, histories: map[string]*eventHistory{}}
}

func certificateOf(uid string) *v1alpha1.ObservedCertificate {
	return &v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: "web", UID: types.UID(uid), Generation: 3, CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour))}}
}

// An ObservedCertificate is deleted and created again under its name, and fails for the same reason.
func TestACertificateThatIsCreatedAgain(t *testing.T) {
	c := fake.NewClientBuilder().WithScheme(fakeScheme).WithStatusSubresource(&v1alpha1.ObservedCertificate{}).WithObjects(certificateOf("u1")).Build()
	recorder := events.NewFakeRecorder(100)
	r := &Rollup{Client: c, Now: func() time.Time { return noon }}
	r.index, r.queue, r.instruments = newIndex(windows), writequeue.New(), newInstruments()
	p := publisherFor(r.index, r.queue, c, recorder)
	handle := func() {
		if _, err := r.reconcileCertificate(t.Context(), ctrl.Request{NamespacedName: types.NamespacedName{Name: "web"}}); err != nil {
			t.Fatal(err)
		}
		due, _ := r.queue.Due(noon.Add(time.Minute))
		for _, d := range due {
			p.publish(t.Context(), d)
		}
	}
	r.index.observeNode("a", testNode("a", failing(v1alpha1.ReasonAccessDenied)), noon)
	handle()
	for len(recorder.Events) > 0 {
		<-recorder.Events
	}
	if err := c.Delete(t.Context(), certificateOf("u1")); err != nil {
		t.Fatal(err)
	}
	handle()
	if len(p.written)+len(p.histories)+r.queue.Paced() > 0 {
		t.Errorf("a deleted certificate leaves %d objects, %d event histories, %d paces behind", len(p.written), len(p.histories), r.queue.Paced())
	}
	if err := c.Create(t.Context(), certificateOf("u2")); err != nil {
		t.Fatal(err)
	}
	handle()
	emitted := ""
	for len(recorder.Events) > 0 {
		emitted += <-recorder.Events + "\n"
	}
	if want := "AccessDenied"; !strings.Contains(emitted, want) {
		t.Errorf("no event on the new object has the reason %s: %q", want, emitted)
	}
}

// The publisher finds that a certificate was deleted. Before the publisher forgets it, it is created again and queued.
func TestACertificateThatIsCreatedAgainWhileItIsForgotten(t *testing.T) {
	base := fake.NewClientBuilder().WithScheme(fakeScheme).WithStatusSubresource(&v1alpha1.ObservedCertificate{}).Build()
	r := &Rollup{Client: base, Now: func() time.Time { return noon }}
	r.index, r.queue, r.instruments = newIndex(windows), writequeue.New(), newInstruments()
	first := true
	c := interceptor.NewClient(base, interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, o ...client.GetOption) error {
		err := c.Get(ctx, key, object, o...)
		if first && apierrors.IsNotFound(err) {
			first = false
			if err := base.Create(ctx, certificateOf("u2")); err != nil {
				t.Error(err)
			}
			if _, err := r.reconcileCertificate(ctx, ctrl.Request{NamespacedName: key}); err != nil {
				t.Error(err)
			}
		}
		return err
	}})
	p := publisherFor(r.index, r.queue, c, events.NewFakeRecorder(100))
	r.queue.Add(noon, "web")
	p.pendingWrites(t.Context(), []writequeue.Pending{{Name: "web", Since: noon}})
	if due, _ := r.queue.Due(noon.Add(time.Minute)); len(due) == 0 {
		t.Error("the new object's status is never written: it left the queue with the old one")
	}
}

// The cache fails once, and not because the object was deleted.
func TestACertificateThatCannotBeReadOnce(t *testing.T) {
	base := fake.NewClientBuilder().WithScheme(fakeScheme).WithObjects(certificateOf("u")).Build()
	c := interceptor.NewClient(base, interceptor.Funcs{Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
		return apierrors.NewTimeoutError("later", 1)
	}})
	o := writequeue.New()
	p := publisherFor(newIndex(windows), o, c, events.NewFakeRecorder(100))
	o.Add(noon, "web")
	p.pendingWrites(t.Context(), []writequeue.Pending{{Name: "web", Since: noon}})
	if due, _ := o.Due(noon.Add(time.Hour)); len(due) == 0 {
		t.Error("the certificate left the queue")
	}
}

// The state is deleted only at the resource version that was read: between the read of the Node and the deletion, the agent of
// a new Node of that name may take the object over.
func TestAnOrphanThatIsTakenOver(t *testing.T) {
	state := &v1alpha1.NodeCertificateState{ObjectMeta: metav1.ObjectMeta{Name: "n", UID: "s"}, NodeUID: "old"}
	base := fake.NewClientBuilder().WithScheme(fakeScheme).WithObjects(state).Build()
	if err := base.Get(t.Context(), client.ObjectKeyFromObject(state), state); err != nil {
		t.Fatal(err)
	}
	r := &Rollup{Client: base, Now: func() time.Time { return noon }}
	r.APIReader = interceptor.NewClient(base, interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, object client.Object, o ...client.GetOption) error {
		err := c.Get(ctx, key, object, o...)
		taken := state.DeepCopy()
		taken.NodeUID = "new"
		if err := base.Update(ctx, taken); err != nil {
			t.Error(err)
		}
		return err
	}})
	_, _ = r.removeOrphan(t.Context(), state)
	var left v1alpha1.NodeCertificateState
	if err := base.Get(t.Context(), client.ObjectKeyFromObject(state), &left); err != nil {
		t.Errorf("the new node's report was deleted: %v", err)
	}
}

// While the budget is exhausted, each change computes all pending statuses, and each of them visits every node.
func BenchmarkPendingWritesWhileTheBudgetIsExhausted(b *testing.B) {
	builder := fake.NewClientBuilder().WithScheme(fakeScheme)
	x, o := newIndex(windows), writequeue.New()
	var due []writequeue.Pending
	for i := range 100 {
		name := fmt.Sprintf("web%03d", i)
		c := certificateOf(name)
		c.Name = name
		builder = builder.WithObjects(c)
		w := testDesired()
		w.name, w.uid = name, types.UID(name)
		x.observeCertificate(w, noon)
		o.Add(noon, name)
		due = append(due, writequeue.Pending{Name: name, Since: noon})
	}
	for i := range 5000 {
		name := fmt.Sprintf("n%04d", i)
		f := testNode(name)
		for j := range 100 {
			e := failing(v1alpha1.ReasonVaultUnreachable)
			if i%100 != 0 {
				e = one
			}
			e.Name = fmt.Sprintf("web%03d", j)
			f.state.Certificates = append(f.state.Certificates, e)
		}
		x.observeNode(name, f, noon)
	}
	p := publisherFor(x, o, builder.Build(), events.NewFakeRecorder(1))
	b.ResetTimer()
	for range b.N {
		if got := len(p.pendingWrites(b.Context(), due)); got != 100 {
			b.Fatal(got)
		}
	}
}

func BenchmarkSnapshot(b *testing.B) {
	x := newIndex(windows)
	x.observeCertificate(testDesired(), noon)
	for i := range 5000 {
		name := fmt.Sprintf("n%04d", i)
		e := failing(v1alpha1.ReasonVaultUnreachable)
		if i%100 != 0 {
			e = one
		}
		x.observeNode(name, testNode(name, e), noon)
	}
	b.ResetTimer()
	for range b.N {
		x.snapshot("web", time.Hour, noon)
	}
}

// A node has not reported since yesterday, and a certificate for it is created today.
func TestANewCertificateOnANodeThatStoppedReporting(t *testing.T) {
	w := testDesired()
	w.created = noon.Add(-time.Minute)
	f, yesterday := testNode("n"), metav1.NewMicroTime(noon.Add(-24*time.Hour))
	f.node.CreationTimestamp, f.lease.Spec.RenewTime = metav1.NewTime(noon.Add(-48*time.Hour)), &yesterday
	n := &node{name: "n"}
	n.read(f, windows, noon)
	if s, _, _ := evaluate(n, &w, noon); s.reason != v1alpha1.ReasonAgentNotReporting {
		t.Errorf("the node counts as %s, although its Lease is a day old", s.reason)
	}
}

// An agent may write its state, but not its Lease.
func TestTheMessageOfAnAgentWithoutALease(t *testing.T) {
	f := testNode("n", one)
	f.lease = nil
	x := newIndex(windows)
	x.observeCertificate(testDesired(), noon)
	x.observeNode("n", f, noon)
	status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	if strings.Contains(status.Failures[0].Message, "has never reported") {
		t.Errorf("%s: %q, although it has reported", status.Failures[0].Reason, status.Failures[0].Message)
	}
}
