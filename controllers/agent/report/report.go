// Package report keeps a node's NodeCertificateState: it collects what changed, compares it with what is stored, and
// writes what differs. It never writes a heartbeat.
package report

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/nodestate"
)

// Reporter owns one node's NodeCertificateState. It is safe for concurrent use.
type Reporter struct {
	// Client reads and writes without a cache: the object has one writer, and it remembers what it wrote.
	Client client.Client
	// Node is the name of the node, of the object, and of its owner.
	Node string
	// NodeUID tells this node from an earlier one of the same name. Adopt changes it once the reporter is in use.
	NodeUID types.UID
	// AgentVersion is the version of the agent.
	AgentVersion string
	// Now is the clock.
	Now func() time.Time

	mu       sync.Mutex
	entries  nodestate.Entries
	changed  chan struct{}
	stored   *v1alpha1.NodeCertificateState
	refused  map[string]v1alpha1.CertificateEntry // entries that the API server refuses, without their time
	pending  time.Time                            // when the oldest change arose that is not written, zero when all is
	failures int                                  // of writes, since the start
}

// Load reads what the agent reported before, by certificate. What an earlier node of the same name reported is not ours.
func (r *Reporter) Load(ctx context.Context) (map[string]v1alpha1.CertificateEntry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries, r.changed = nodestate.Entries{}, make(chan struct{}, 1)
	stored, err := r.read(ctx)
	if err != nil {
		return nil, err
	}
	r.stored = stored
	previous := map[string]v1alpha1.CertificateEntry{}
	if stored != nil && stored.NodeUID == string(r.NodeUID) {
		for _, entry := range stored.Certificates {
			previous[entry.Name] = entry
			r.entries[entry.Name] = entry
		}
	}
	r.signal() // the version, the owner or the UID may differ
	return previous, nil
}

// Adopt changes the UID after the Node was deleted and created again under its name, as kubelet does when it registers again: the
// report belongs to the new Node from then on.
func (r *Reporter) Adopt(uid types.UID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.NodeUID != uid {
		r.NodeUID = uid
		r.signal()
	}
}

// Set records a certificate's entry. Since is kept while state and reason stay the same, and so is the whole entry when
// nothing in it differs.
func (r *Reporter) Set(entry v1alpha1.CertificateEntry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stillRefused(entry) && r.entries.Set(entry, r.Now()) {
		r.signal()
	}
}

// Drop removes a certificate's entry: it is gone, or no longer for this node.
func (r *Reporter) Drop(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.entries.Drop(name) {
		delete(r.refused, name)
		r.signal()
	}
}

// Check compares what is stored with what was written, and has a difference written again: the object may have been deleted
// or edited.
func (r *Reporter) Check(ctx context.Context) error {
	stored, err := r.read(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stored = stored
	r.signal()
	return nil
}

// Unwritten returns since when there has been something that the API server does not have, zero while it has everything.
func (r *Reporter) Unwritten() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pending
}

// WriteFailures returns how many writes have failed since the start.
func (r *Reporter) WriteFailures() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failures
}

// Names returns the certificates that have an entry.
func (r *Reporter) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.entries.Names()
}

// signal has the writer look. The caller holds the lock.
func (r *Reporter) signal() {
	if r.pending.IsZero() {
		r.pending = r.Now()
	}
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// read returns the stored object, nil if there is none.
func (r *Reporter) read(ctx context.Context) (*v1alpha1.NodeCertificateState, error) {
	var stored v1alpha1.NodeCertificateState
	err := r.Client.Get(ctx, types.NamespacedName{Name: r.Node}, &stored)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading NodeCertificateState %s: %w", r.Node, err)
	}
	return &stored, nil
}
