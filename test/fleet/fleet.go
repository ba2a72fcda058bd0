package fleet

import (
	"context"
	"fmt"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/scheme"
	"github.com/vaultpane/vaultpane/test/install"
)

// writers is how many simulated agents write at once.
const writers = 16

// Fleet is nodes with simulated agents, and the certificates that all of them observe. For one goroutine.
type Fleet struct {
	// Secrets is the URL of the certificates' secrets, up to their names. By default it is in a vault that does not exist.
	Secrets string

	kube         client.WithWatch
	certificates []v1alpha1.ObservedCertificate
	members      []*member
	joined       int
}

// member is a node, and the last that its agent wrote.
type member struct {
	node  string
	owner []metav1.OwnerReference
	lease *coordinationv1.Lease
	// state is the resource version of the NodeCertificateState; empty before the first report.
	state string
}

// New makes an empty fleet; config is the administrator's.
func New(config *rest.Config) (*Fleet, error) {
	types, err := scheme.New()
	if err != nil {
		return nil, err
	}
	kube, err := client.NewWithWatch(config, client.Options{Scheme: types})
	if err != nil {
		return nil, fmt.Errorf("making the fleet's client: %w", err)
	}
	return &Fleet{kube: kube, Secrets: "https://shop.vault.azure.net/secrets/"}, nil
}

// Size is the number of nodes.
func (f *Fleet) Size() int { return len(f.members) }

// Observe makes ObservedCertificates for all nodes, of which the first required ones keep the startup taint on a node.
func (f *Fleet) Observe(ctx context.Context, count, required int) error {
	for number := range count {
		name := fmt.Sprintf("cert-%03d", number)
		certificate := v1alpha1.ObservedCertificate{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec:       v1alpha1.ObservedCertificateSpec{URL: f.Secrets + name, RequireInitialSync: number < required},
		}
		if err := f.kube.Create(ctx, &certificate); err != nil {
			return fmt.Errorf("creating ObservedCertificate %s: %w", name, err)
		}
		f.certificates = append(f.certificates, certificate)
	}
	return nil
}

// Join adds nodes with the startup taint, as a node pool that grows does. Their names were never used before.
func (f *Fleet) Join(ctx context.Context, count int) error {
	added := make([]*member, count)
	for i := range added {
		added[i] = &member{node: fmt.Sprintf("akswin%06d", f.joined)}
		f.joined++
	}
	err := each(ctx, added, func(ctx context.Context, m *member) error {
		node := &corev1.Node{
			ObjectMeta: metav1.ObjectMeta{
				Name:        m.node,
				Labels:      map[string]string{"kubernetes.io/os": "windows", "kubernetes.io/arch": "amd64", "kubernetes.io/hostname": m.node},
				Annotations: map[string]string{kwokAnnotation: kwokValue},
			},
			Spec: corev1.NodeSpec{Taints: []corev1.Taint{{Key: v1alpha1.StartupTaintKey, Effect: corev1.TaintEffectNoSchedule}}},
		}
		if err := f.kube.Create(ctx, node); err != nil {
			return fmt.Errorf("creating Node %s: %w", m.node, err)
		}
		m.owner = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: m.node, UID: node.UID}}
		return nil
	})
	f.members = append(f.members, added...)
	return err
}

// Leave removes the oldest nodes, and what a garbage collector would remove with them but the NodeCertificateStates: of
// those the controller takes care.
func (f *Fleet) Leave(ctx context.Context, count int) error {
	leaving := f.members[:count]
	f.members = f.members[count:]
	return each(ctx, leaving, func(ctx context.Context, m *member) error {
		objects := []client.Object{&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: m.node}}}
		for _, namespace := range []string{install.Namespace, corev1.NamespaceNodeLease} {
			objects = append(objects, &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: m.node}})
		}
		for _, object := range objects {
			if err := client.IgnoreNotFound(f.kube.Delete(ctx, object)); err != nil {
				return fmt.Errorf("removing node %s: %w", m.node, err)
			}
		}
		return nil
	})
}

// Gone waits until there are NodeCertificateStates of the fleet's nodes only.
func (f *Fleet) Gone(ctx context.Context, limit time.Duration) error {
	left := 0
	err := wait.PollUntilContextTimeout(ctx, 500*time.Millisecond, limit, true, func(ctx context.Context) (bool, error) {
		var states metav1.PartialObjectMetadataList
		states.SetGroupVersionKind(v1alpha1.GroupVersion.WithKind("NodeCertificateStateList"))
		if err := f.kube.List(ctx, &states); err != nil {
			return false, err
		}
		left = len(states.Items)
		return left == len(f.members), nil
	})
	if err != nil {
		return fmt.Errorf("waiting for the NodeCertificateStates of removed nodes to go, there are %d: %w", left, err)
	}
	return nil
}

// each does something for all members, some at a time, and returns the first error.
func each(ctx context.Context, members []*member, do func(context.Context, *member) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	queue := make(chan *member)
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for m := range queue {
				if ctx.Err() != nil {
					continue
				}
				if err := do(ctx, m); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, m := range members {
		queue <- m
	}
	close(queue)
	group.Wait()
	return context.Cause(ctx)
}

// now is the time as Leases have it.
func now() *metav1.MicroTime { return &metav1.MicroTime{Time: time.Now()} }
