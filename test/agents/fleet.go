package agents

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/scheme"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/keyvault"
)

// Fleet is nodes with running agents. Its methods are for one goroutine.
type Fleet struct {
	plane     *controlplane.ControlPlane
	kube      client.Client
	types     *runtime.Scheme
	dir       string // the stores, a folder a node
	authority []byte // of the vaults' certificates
	ctx       context.Context
	stop      context.CancelFunc
	running   sync.WaitGroup
	nodes     int

	mu       sync.Mutex
	failed   error
	arrivals map[arrival]time.Time
}

// arrival is a version of a certificate on a node.
type arrival struct{ certificate, version, node string }

// New makes an empty fleet in a control plane in which Vaultpane is installed. The stores are in dir. Only one fleet can be in a
// process at a time: azidentity reads the vaults' identity from the environment, where New sets it.
func New(ctx context.Context, plane *controlplane.ControlPlane, vaults *keyvault.Server, dir string) (*Fleet, error) {
	types, err := scheme.New()
	if err != nil {
		return nil, err
	}
	kube, err := client.New(plane.Config(), client.Options{Scheme: types})
	if err != nil {
		return nil, fmt.Errorf("making the fleet's client: %w", err)
	}
	authority, err := os.ReadFile(vaults.CAFile())
	if err != nil {
		return nil, fmt.Errorf("reading the vaults' authority: %w", err)
	}
	if err := SetEnv(vaults); err != nil {
		return nil, err
	}
	f := &Fleet{plane: plane, kube: kube, types: types, dir: dir, authority: authority, arrivals: map[arrival]time.Time{}}
	f.ctx, f.stop = context.WithCancel(ctx)
	return f, nil
}

// Size is the number of nodes.
func (f *Fleet) Size() int { return f.nodes }

// SizeLabel is the label by which certificates select the first nodes of a fleet: each node has it for every size that is more
// than its number.
func SizeLabel(size int) string { return fmt.Sprintf("bench.vaultpane.dev/first-%d", size) }

// Join adds nodes, and starts their agents, some at a time. The labels are those of SizeLabel for the sizes.
func (f *Fleet) Join(ctx context.Context, count int, sizes []int) error {
	const atOnce = 8
	numbers, failures := make(chan int), make(chan error, atOnce)
	var joining sync.WaitGroup
	for range atOnce {
		joining.Go(func() {
			var failed error
			for number := range numbers {
				if failed == nil {
					failed = f.join(ctx, number, sizes)
				}
			}
			failures <- failed
		})
	}
	for number := range count {
		numbers <- f.nodes + number
	}
	close(numbers)
	joining.Wait()
	close(failures)
	f.nodes += count
	var all []error
	for failed := range failures {
		all = append(all, failed)
	}
	return errors.Join(all...)
}

func (f *Fleet) join(ctx context.Context, number int, sizes []int) error {
	labels := map[string]string{"kubernetes.io/os": "windows"}
	for _, size := range sizes {
		if number < size {
			labels[SizeLabel(size)] = ""
		}
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("akswin%06d", number), Labels: labels}}
	if err := f.kube.Create(ctx, node); err != nil {
		return fmt.Errorf("creating Node %s: %w", node.Name, err)
	}
	kube, err := install.AgentConfig(ctx, f.plane, node.Name)
	if err != nil {
		return err
	}
	f.running.Go(func() {
		if err := f.run(f.ctx, kube, node); err != nil && f.ctx.Err() == nil {
			f.mu.Lock()
			f.failed = errors.Join(f.failed, err)
			f.mu.Unlock()
		}
	})
	return nil
}

// Stop ends all agents.
func (f *Fleet) Stop() {
	f.stop()
	f.running.Wait()
}

// note notes that a node has a certificate in its store.
func (f *Fleet) note(node string, entry v1alpha1.CertificateEntry) {
	if entry.Thumbprint == "" {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if one := (arrival{entry.Name, entry.Version, node}); f.arrivals[one].IsZero() {
		f.arrivals[one] = time.Now()
	}
}

// Arrived returns when each node had a version of a certificate in its store.
func (f *Fleet) Arrived(certificate, version string) ([]time.Time, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var times []time.Time
	for one, at := range f.arrivals {
		if one.certificate == certificate && one.version == version {
			times = append(times, at)
		}
	}
	return times, f.failed
}

// Installed returns how many certificates the nodes have had in their stores, each version and node counted.
func (f *Fleet) Installed() (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.arrivals), f.failed
}
