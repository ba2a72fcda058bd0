package rollup

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/events"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func entryOf(version string, days int) v1alpha1.CertificateEntry {
	end := metav1.NewTime(noon.Add(time.Duration(days) * 24 * time.Hour))
	return v1alpha1.CertificateEntry{Name: "web", Generation: 3, Version: version, Thumbprint: "T" + version, NotAfter: &end}
}

// The index saw the last rotation (v0 to v1). In the next one, the first node that has v2 is one that the autoscaler added.
func TestANewNodeBringsTheNextVersionFirst(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(theWish(), noon)
	see := func(name, version string, days int) { x.observeNode(name, theNode(name, entryOf(version, days)), noon) }
	for _, n := range []string{"a", "b", "c"} {
		see(n, "v0", 10)
	}
	for _, n := range []string{"a", "b", "c"} {
		see(n, "v1", 100)
	}
	see("new", "v2", 190)
	for _, n := range []string{"a", "b"} { // these move from v1 to v2: v2 is the newer beyond doubt
		see(n, "v2", 190)
	}
	status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	if status.Version != "v2" || status.Nodes.Summary != "3/4" {
		t.Errorf("version %s on %s nodes, want v2 on 3/4: %s", status.Version, status.Nodes.Summary, readyOf(status).Message)
	}
}

// The same when the first mover is not well in another way (an account is missing) while it has the new version.
func TestTheFirstMoverIsNotWell(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(theWish(), noon)
	see := func(name string, e v1alpha1.CertificateEntry) { x.observeNode(name, theNode(name, e), noon) }
	for _, v := range []string{"v0", "v1"} {
		for _, n := range []string{"a", "b", "c"} {
			see(n, entryOf(v, 100))
		}
	}
	see("a", with(entryOf("v2", 190), func(e *v1alpha1.CertificateEntry) {
		e.State, e.Reason = v1alpha1.StateFailed, v1alpha1.ReasonAccountNotFound
	}))
	see("b", entryOf("v2", 190))
	status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	if status.Version != "v2" {
		t.Errorf("version %s on %s nodes, want v2: %s", status.Version, status.Nodes.Summary, readyOf(status).Message)
	}
}

// The only node that has the new version fails with it for a while, and is well again.
func TestTheFirstMoverFailsAndRecovers(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(theWish(), noon)
	see := func(name string, e v1alpha1.CertificateEntry) { x.observeNode(name, theNode(name, e), noon) }
	for _, v := range []string{"v0", "v1"} {
		for _, n := range []string{"a", "b", "c"} {
			see(n, entryOf(v, 100))
		}
	}
	see("a", entryOf("v2", 47))
	see("a", with(entryOf("v2", 47), func(e *v1alpha1.CertificateEntry) {
		e.State, e.Reason = v1alpha1.StateFailed, v1alpha1.ReasonAccountNotFound
	}))
	see("a", entryOf("v2", 47))
	status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	if status.Version != "v2" || status.Nodes.Summary != "1/3" {
		t.Errorf("version %s on %s nodes, want v2 on 1/3", status.Version, status.Nodes.Summary)
	}
}

// A rotation to a certificate that is valid for a shorter time is under way, and the controller starts again.
func TestARestartInARotationToAShorterValidity(t *testing.T) {
	w := theWish()
	x := newIndex(windows)
	x.observeCertificate(w, noon)
	for _, n := range []string{"a", "b", "c"} {
		x.observeNode(n, theNode(n, entryOf("v1", 200)), noon)
	}
	for _, n := range []string{"a", "b"} {
		x.observeNode(n, theNode(n, entryOf("v2", 47)), noon)
	}
	before := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)

	w.last = held{before.Version, before.Thumbprint, before.NotAfter.Unix()} // as wishOf reads it from the stored status
	again := newIndex(windows)
	again.observeCertificate(w, noon)
	for n, e := range map[string]v1alpha1.CertificateEntry{"a": entryOf("v2", 47), "b": entryOf("v2", 47), "c": entryOf("v1", 200)} {
		again.observeNode(n, theNode(n, e), noon)
	}
	after := statusFrom(again, before, time.Hour, noon)
	if before.Version != "v2" || after.Version != before.Version {
		t.Errorf("version %s %s before the restart, %s %s after it", before.Version, before.Nodes.Summary, after.Version, after.Nodes.Summary)
	}
}

// Two nodes whose agents are silent hold certificates that end a day apart.
func TestTheSecondCertificateToExpire(t *testing.T) {
	x := newIndex(windows)
	x.observeCertificate(theWish(), noon)
	x.observeNode("a", theNode("a", entryOf("v1", 1)), noon)
	x.observeNode("b", theNode("b", entryOf("v2", 2)), noon)
	at := func(now time.Time) string {
		if len(x.tick(now)) == 0 {
			return "no certificate is looked at"
		}
		status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, now)
		return fmt.Sprint(status.Nodes.Failed, " failed")
	}
	statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	at(noon.Add(23 * time.Hour)) // expiring soon
	if got := at(noon.Add(24 * time.Hour)); got != "1 failed" {
		t.Errorf("after the first end: %s", got)
	}
	if got := at(noon.Add(48 * time.Hour)); got != "2 failed" {
		t.Errorf("after the second end: %s, want 2 failed", got)
	}
}

// A status that cannot be written for an hour must show in the gauge that is there to show a silent stop.
func TestTheOldestRollupWhileWritesFail(t *testing.T) {
	o, now := newOutbox(), noon
	o.add(now, "web")
	var ages []time.Duration
	for now.Before(noon.Add(time.Hour)) {
		due, next := o.due(now)
		if len(due) == 0 {
			ages = append(ages, o.oldest(now.Add(next.Sub(now)/2)))
			now = next
			continue
		}
		o.take("web")
		o.failed("web", due[0].since, now)
	}
	if got := o.oldest(now); got < 30*time.Minute {
		t.Errorf("%d writes failed over an hour, and the oldest roll-up is %s old; seen between the writes: %v", len(ages), got, ages[len(ages)-5:])
	}
}

// What waits longer than patience must not be overtaken by what is more urgent, else it may wait for ever.
func TestOverdueDraftsAreInOrderOfTheirAge(t *testing.T) {
	drafts := []draft{
		{parcel: parcel{"urgent", noon.Add(-31 * time.Second)}, urgency: urgencyFailure},
		{parcel: parcel{"waits for an hour", noon.Add(-time.Hour)}, urgency: urgencyCounts},
	}
	sortByUrgency(drafts, noon)
	if drafts[0].name != "waits for an hour" {
		t.Errorf("%q goes first", drafts[0].name)
	}
}

// A Lease that changes is a sign of life at our own time, whatever the node's clock says.
func TestAgentsWithWrongClocks(t *testing.T) {
	for name, wrong := range map[string]time.Duration{"slow": -20 * time.Minute, "fast": 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			w := theWish()
			x := newIndex(windows)
			x.observeCertificate(w, noon)
			renew := func(now time.Time) {
				f, stamp := theNode("n", one), metav1.NewMicroTime(now.Add(wrong))
				f.lease.Spec.RenewTime = &stamp
				x.observeNode("n", f, now)
			}
			renew(noon.Add(-5 * time.Minute))
			renew(noon)
			if s, _, _ := judge(x.nodes["n"], &w, noon.Add(14*time.Minute)); s.late {
				t.Error("an agent that renewed its Lease 14 minutes ago counts as not reporting")
			}
			if s, _, _ := judge(x.nodes["n"], &w, noon.Add(15*time.Minute)); !s.late {
				t.Error("an agent that renewed its Lease 15 minutes ago counts as alive")
			}
		})
	}
}

var fakeScheme = func() *runtime.Scheme {
	s := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(s), v1alpha1.AddToScheme(s)); err != nil {
		panic(err)
	}
	return s
}()

// A Node is deleted while load goes through its lists.
func TestANodeDeletedWhileLoading(t *testing.T) {
	r := &Rollup{Now: func() time.Time { return noon }, Options: Options{Agents: windows, Namespace: "ns"}}
	base := fake.NewClientBuilder().WithScheme(fakeScheme).WithObjects(theNode("a").node, theNode("gone").node).Build()
	r.Client = interceptor.NewClient(base, interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, o ...client.ListOption) error {
		err := c.List(ctx, list, o...)
		if _, last := list.(*v1alpha1.ObservedCertificateList); last {
			// In the meantime the other controller, which started at the same time, handles the deletion.
			_ = base.Delete(ctx, theNode("gone").node)
			if _, err := r.reconcileNode(ctx, ctrl.Request{NamespacedName: types.NamespacedName{Name: "gone"}}); err != nil {
				t.Error(err)
			}
		}
		return err
	}})
	r.APIReader = r.Client
	r.index, r.outbox, r.meters = newIndex(windows), newOutbox(), newMeters()
	if err := r.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, there := r.index.nodes["gone"]; there {
		t.Error("a Node that is gone counts until the controller starts again: nothing reports on it any more")
	}
}

// publisherFor returns a publisher over a fake API server.
func publisherFor(x *index, o *outbox, c client.Client, recorder events.EventRecorder) *publisher {
	return &publisher{client: c, events: recorder, index: x, outbox: o, meters: newMeters(), now: func() time.Time { return noon },
		soon: time.Hour, budget: newBudget(5000), written: map[string]written{}, told: map[string]*story{}}
}

func certificateOf(uid string) *v1alpha1.ObservedCertificate {
	return &v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: "web", UID: types.UID(uid), Generation: 3, CreationTimestamp: metav1.NewTime(noon.Add(-time.Hour))}}
}

// An ObservedCertificate is deleted and made anew under its name, and fails for the same reason.
func TestACertificateMadeAnew(t *testing.T) {
	c := fake.NewClientBuilder().WithScheme(fakeScheme).WithStatusSubresource(&v1alpha1.ObservedCertificate{}).WithObjects(certificateOf("u1")).Build()
	recorder := events.NewFakeRecorder(100)
	r := &Rollup{Client: c, Now: func() time.Time { return noon }}
	r.index, r.outbox, r.meters = newIndex(windows), newOutbox(), newMeters()
	p := publisherFor(r.index, r.outbox, c, recorder)
	handle := func() {
		if _, err := r.reconcileCertificate(t.Context(), ctrl.Request{NamespacedName: types.NamespacedName{Name: "web"}}); err != nil {
			t.Fatal(err)
		}
		due, _ := r.outbox.due(noon.Add(time.Minute))
		for _, d := range due {
			p.publish(t.Context(), d)
		}
	}
	r.index.observeNode("a", theNode("a", failing(v1alpha1.ReasonAccessDenied)), noon)
	handle()
	for len(recorder.Events) > 0 {
		<-recorder.Events
	}
	if err := c.Delete(t.Context(), certificateOf("u1")); err != nil {
		t.Fatal(err)
	}
	handle()
	if len(p.written)+len(p.told)+len(r.outbox.paced) > 0 {
		t.Errorf("kept of a deleted certificate for ever: %d objects, %d announcements, %d paces", len(p.written), len(p.told), len(r.outbox.paced))
	}
	if err := c.Create(t.Context(), certificateOf("u2")); err != nil {
		t.Fatal(err)
	}
	handle()
	told := ""
	for len(recorder.Events) > 0 {
		told += <-recorder.Events + "\n"
	}
	if want := "AccessDenied"; !strings.Contains(told, want) {
		t.Errorf("no event on the new object tells of %s: %q", want, told)
	}
}

// The publisher finds that a certificate is gone; before it has forgotten it, it was made anew and put in the outbox.
func TestACertificateMadeAnewWhileItIsForgotten(t *testing.T) {
	base := fake.NewClientBuilder().WithScheme(fakeScheme).WithStatusSubresource(&v1alpha1.ObservedCertificate{}).Build()
	r := &Rollup{Client: base, Now: func() time.Time { return noon }}
	r.index, r.outbox, r.meters = newIndex(windows), newOutbox(), newMeters()
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
	p := publisherFor(r.index, r.outbox, c, events.NewFakeRecorder(100))
	r.outbox.add(noon, "web")
	p.drafts(t.Context(), []parcel{{"web", noon}})
	if due, _ := r.outbox.due(noon.Add(time.Minute)); len(due) == 0 {
		t.Error("the new object's status is never written: it was taken out of the outbox with the old one")
	}
}

// The cache fails once, for another reason than that the object is gone.
func TestACertificateThatCannotBeReadOnce(t *testing.T) {
	base := fake.NewClientBuilder().WithScheme(fakeScheme).WithObjects(certificateOf("u")).Build()
	c := interceptor.NewClient(base, interceptor.Funcs{Get: func(context.Context, client.WithWatch, client.ObjectKey, client.Object, ...client.GetOption) error {
		return apierrors.NewTimeoutError("later", 1)
	}})
	o := newOutbox()
	p := publisherFor(newIndex(windows), o, c, events.NewFakeRecorder(100))
	o.add(noon, "web")
	p.drafts(t.Context(), []parcel{{"web", noon}})
	if due, _ := o.due(noon.Add(time.Hour)); len(due) == 0 {
		t.Error("forgotten")
	}
}

// The state is deleted only as it was seen: between the look at the Node and the deletion the agent of a new Node of that
// name may have taken the object over.
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
		t.Errorf("the new node's report is gone: %v", err)
	}
}

// With the budget spent, each change of anything computes all statuses that wait, each with a look at every node.
func BenchmarkDraftsWhileTheBudgetIsSpent(b *testing.B) {
	builder := fake.NewClientBuilder().WithScheme(fakeScheme)
	x, o := newIndex(windows), newOutbox()
	var due []parcel
	for i := range 100 {
		name := fmt.Sprintf("web%03d", i)
		c := certificateOf(name)
		c.Name = name
		builder = builder.WithObjects(c)
		w := theWish()
		w.name, w.uid = name, types.UID(name)
		x.observeCertificate(w, noon)
		o.add(noon, name)
		due = append(due, parcel{name, noon})
	}
	for i := range 5000 {
		name := fmt.Sprintf("n%04d", i)
		f := theNode(name)
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
		if got := len(p.drafts(b.Context(), due)); got != 100 {
			b.Fatal(got)
		}
	}
}

func BenchmarkPicture(b *testing.B) {
	x := newIndex(windows)
	x.observeCertificate(theWish(), noon)
	for i := range 5000 {
		name := fmt.Sprintf("n%04d", i)
		e := failing(v1alpha1.ReasonVaultUnreachable)
		if i%100 != 0 {
			e = one
		}
		x.observeNode(name, theNode(name, e), noon)
	}
	b.ResetTimer()
	for range b.N {
		x.picture("web", time.Hour, noon)
	}
}

// A node has been silent since yesterday, and a certificate is made for it today.
func TestANewCertificateOnADeadNode(t *testing.T) {
	w := theWish()
	w.created = noon.Add(-time.Minute)
	f, yesterday := theNode("n"), metav1.NewMicroTime(noon.Add(-24*time.Hour))
	f.node.CreationTimestamp, f.lease.Spec.RenewTime = metav1.NewTime(noon.Add(-48*time.Hour)), &yesterday
	n := &node{name: "n"}
	n.read(f, windows, noon)
	if s, _, _ := judge(n, &w, noon); s.reason != v1alpha1.ReasonAgentNotReporting {
		t.Errorf("the node counts as %s, though its Lease is a day old", s.reason)
	}
}

// An agent writes its state, but may not write its Lease.
func TestTheMessageOfAnAgentWithoutALease(t *testing.T) {
	f := theNode("n", one)
	f.lease = nil
	x := newIndex(windows)
	x.observeCertificate(theWish(), noon)
	x.observeNode("n", f, noon)
	status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, noon)
	if strings.Contains(status.Failures[0].Message, "has never reported") {
		t.Errorf("%s: %q, though its report is there", status.Failures[0].Reason, status.Failures[0].Message)
	}
}
