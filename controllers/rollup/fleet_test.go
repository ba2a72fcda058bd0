package rollup_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/nodestate"
	"github.com/vaultpane/vaultpane/test/await"
)

// fleet is a test's nodes. Their agents are simulated by what they write.
type fleet struct {
	*cluster
	t    *testing.T
	name string // of the certificate, and the beginning of the nodes'
}

func newFleet(t *testing.T, c *cluster) *fleet {
	return &fleet{cluster: c, t: t, name: strings.ToLower(strings.NewReplacer("/", "-", "_", "-").Replace(t.Name()))}
}

// do fails the test on an error.
func (f *fleet) do(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// observe creates the certificate for this fleet's nodes.
func (f *fleet) observe(change ...func(*v1alpha1.ObservedCertificateSpec)) {
	f.t.Helper()
	certificate := &v1alpha1.ObservedCertificate{ObjectMeta: metav1.ObjectMeta{Name: f.name}, Spec: v1alpha1.ObservedCertificateSpec{
		URL:          "https://shop.vault.azure.net/secrets/web",
		NodeSelector: &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{"fleet": v1alpha1.LabelValue(f.label())}},
	}}
	for _, c := range change {
		c(&certificate.Spec)
	}
	f.do(f.kube.Create(f.t.Context(), certificate))
}

// label is at most 63 characters.
func (f *fleet) label() string { return f.name[max(0, len(f.name)-40):] }

func (f *fleet) node(number int) string { return fmt.Sprintf("%s-%04d", f.label(), number) }

// join adds nodes from first to last, and returns their names.
func (f *fleet) join(first, last int) []string {
	f.t.Helper()
	var names []string
	for number := first; number <= last; number++ {
		names = append(names, f.node(number))
	}
	f.each(names, func(ctx context.Context, name string) error {
		return f.kube.Create(ctx, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"fleet": f.label(), "kubernetes.io/os": "windows"}}})
	})
	return names
}

// each calls a function for all names, 16 at a time.
func (f *fleet) each(names []string, do func(context.Context, string) error) {
	f.t.Helper()
	var group sync.WaitGroup
	queue := make(chan string)
	for range 16 {
		group.Go(func() {
			for name := range queue {
				if err := do(f.t.Context(), name); err != nil {
					f.t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	for _, name := range names {
		queue <- name
	}
	close(queue)
	group.Wait()
	if f.t.Failed() {
		f.t.FailNow()
	}
}

// report makes the agents of these nodes report the same entry, at the certificate's current generation.
func (f *fleet) report(nodes []string, entry v1alpha1.CertificateEntry) {
	f.t.Helper()
	entry.Name, entry.Generation = f.name, f.get().Generation
	f.each(nodes, func(ctx context.Context, name string) error { return f.write(ctx, name, entry) })
}

// write writes an agent's report, and at the first call its Lease.
func (f *fleet) write(ctx context.Context, name string, entries ...v1alpha1.CertificateEntry) error {
	var node corev1.Node
	if err := f.kube.Get(ctx, types.NamespacedName{Name: name}, &node); err != nil {
		return err
	}
	owner := []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: name, UID: node.UID}}
	holder, now := string(node.UID), metav1.NewMicroTime(time.Now())
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, OwnerReferences: owner}, Spec: coordinationv1.LeaseSpec{HolderIdentity: &holder, RenewTime: &now}}
	if err := f.kube.Create(ctx, lease); client.IgnoreAlreadyExists(err) != nil {
		return err
	}
	state := &v1alpha1.NodeCertificateState{}
	err := f.kube.Get(ctx, types.NamespacedName{Name: name}, state)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	state.NodeUID, state.Certificates, state.OwnerReferences, state.Summary = string(node.UID), entries, owner, nodestate.Summarize(entries)
	if err != nil {
		state.Name = name
		return f.kube.Create(ctx, state)
	}
	return f.kube.Update(ctx, state)
}

// watcher returns a client that can watch.
func (f *fleet) watcher() client.WithWatch {
	f.t.Helper()
	watcher, err := client.NewWithWatch(f.plane.Config(), client.Options{Scheme: scheme})
	f.do(err)
	return watcher
}

func (f *fleet) get() *v1alpha1.ObservedCertificate {
	f.t.Helper()
	certificate := &v1alpha1.ObservedCertificate{}
	f.do(f.kube.Get(f.t.Context(), types.NamespacedName{Name: f.name}, certificate))
	return certificate
}

// eventually waits for a status such as "48/50 False AccessDenied", with the version in front where given.
func (f *fleet) eventually(want string) *v1alpha1.ObservedCertificate {
	f.t.Helper()
	var certificate *v1alpha1.ObservedCertificate
	await.That(f.t, fmt.Sprintf("the status is %q", want), func() (bool, error) {
		certificate = &v1alpha1.ObservedCertificate{}
		if err := f.kube.Get(f.t.Context(), types.NamespacedName{Name: f.name}, certificate); err != nil {
			return false, err // the API server may not be running
		}
		if got := line(certificate.Status); got != want || certificate.Status.ObservedGeneration != certificate.Generation {
			return false, fmt.Errorf("it is %q, of generation %d of %d", got, certificate.Status.ObservedGeneration, certificate.Generation)
		}
		return true, nil
	})
	return certificate
}

func line(status v1alpha1.ObservedCertificateStatus) string {
	ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || status.Nodes == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s %s", status.Version, status.Nodes.Summary, ready.Status, ready.Reason))
}

// events returns how often events of each reason were written about the certificate; a series counts once.
func (f *fleet) events() map[string]int {
	f.t.Helper()
	var list eventsv1.EventList
	f.do(f.kube.List(f.t.Context(), &list))
	found := map[string]int{}
	for _, event := range list.Items {
		if event.Regarding.Kind == "ObservedCertificate" && event.Regarding.Name == f.name {
			found[event.Reason]++
		}
	}
	return found
}

// today is the same for all versions of a test.
var today = time.Now().Truncate(time.Second)

// version is the entry of a node that has a version.
func version(number int) v1alpha1.CertificateEntry {
	end := metav1.NewTime(today.Add(time.Duration(100+number) * 24 * time.Hour))
	return v1alpha1.CertificateEntry{Version: fmt.Sprintf("v%d", number), Thumbprint: fmt.Sprintf("T%d", number), NotAfter: &end}
}

func failingWith(entry v1alpha1.CertificateEntry, reason v1alpha1.Reason) v1alpha1.CertificateEntry {
	entry.State, entry.Reason, entry.Message = v1alpha1.StateFailed, reason, "vault shop, secret web: "+string(reason)
	return entry
}
