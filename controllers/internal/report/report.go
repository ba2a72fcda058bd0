// Package report keeps a node's NodeCertificateState: it collects what changed, compares it with what is stored, and
// writes what differs. It never writes a heartbeat.
package report

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Collecting: a write waits until nothing has changed for quiet, but not longer than patience, so that the first sync of
// a thousand certificates costs a write or two and not a thousand.
const (
	quiet    = time.Second
	patience = 30 * time.Second
	retry    = 2 * time.Second // after a write that failed; doubled up to retryCap
	retryCap = time.Minute
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

	mu      sync.Mutex
	entries map[string]v1alpha1.CertificateEntry
	changed chan struct{}
	stored  *v1alpha1.NodeCertificateState
}

// Load reads what the agent reported before, by certificate. What an earlier node of the same name reported is not ours.
func (r *Reporter) Load(ctx context.Context) (map[string]v1alpha1.CertificateEntry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.entries, r.changed = map[string]v1alpha1.CertificateEntry{}, make(chan struct{}, 1)
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

// Adopt takes up that the Node was deleted and made anew under its name, as kubelet does when it registers again: what is
// reported belongs to the new one from now on.
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
	previous, known := r.entries[entry.Name]
	if entry.State != v1alpha1.StateInstalled {
		now := metav1.NewTime(r.Now().Truncate(time.Second))
		entry.Since = &now
		if known && previous.State == entry.State && previous.Reason == entry.Reason && previous.Since != nil {
			entry.Since = previous.Since
		}
	}
	if known && equality.Semantic.DeepEqual(previous, entry) {
		return
	}
	r.entries[entry.Name] = entry
	r.signal()
}

// Drop removes a certificate's entry: it is gone, or no longer for this node.
func (r *Reporter) Drop(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if _, known := r.entries[name]; known {
		delete(r.entries, name)
		r.signal()
	}
}

// Check compares what is stored with what was written, and has a difference written again: somebody may have deleted or
// edited the object.
func (r *Reporter) Check(ctx context.Context) error {
	stored, err := r.read(ctx)
	if err != nil {
		return err
	}
	r.remember(stored)
	r.signal()
	return nil
}

// Names returns the certificates that have an entry.
func (r *Reporter) Names() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	names := make([]string, 0, len(r.entries))
	for name := range r.entries {
		names = append(names, name)
	}
	return names
}

func (r *Reporter) signal() {
	select {
	case r.changed <- struct{}{}:
	default:
	}
}

// Start writes changes until the context ends. A write that fails is tried again; nothing is lost meanwhile.
func (r *Reporter) Start(ctx context.Context) error {
	wait := retry
	for r.collect(ctx) {
		for {
			err := r.write(ctx)
			if err == nil {
				wait = retry
				break
			}
			logr.FromContextOrDiscard(ctx).Info("Writing the node's state again later", "cause", err.Error(), "nextAttempt", wait.String())
			if !sleep(ctx, wait) {
				return nil
			}
			wait = min(2*wait, retryCap)
		}
	}
	return nil
}

// collect waits for a change, and then for quiet. It returns false when the context has ended.
func (r *Reporter) collect(ctx context.Context) bool {
	select {
	case <-r.changed:
	case <-ctx.Done():
		return false
	}
	deadline := time.After(patience)
	for {
		select {
		case <-r.changed:
		case <-time.After(quiet):
			return true
		case <-deadline:
			return true
		case <-ctx.Done():
			return false
		}
	}
}

func sleep(ctx context.Context, wait time.Duration) bool {
	select {
	case <-time.After(wait):
		return true
	case <-ctx.Done():
		return false
	}
}

// write brings the stored object in line with the entries. It writes nothing when nothing differs.
func (r *Reporter) write(ctx context.Context) error {
	wanted, stored := r.wanted()
	if stored != nil && sameState(stored, wanted) {
		return nil
	}
	var err error
	if stored == nil {
		err = r.Client.Create(ctx, wanted)
	} else {
		wanted.ResourceVersion = stored.ResourceVersion
		err = r.Client.Update(ctx, wanted)
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) {
		// Someone else wrote or deleted it: start from what is there now.
		fresh, readErr := r.read(ctx)
		if readErr == nil {
			r.remember(fresh)
		}
		return fmt.Errorf("writing NodeCertificateState %s: %w", r.Node, err)
	}
	if err != nil {
		return fmt.Errorf("writing NodeCertificateState %s: %w", r.Node, err)
	}
	r.remember(wanted)
	return nil
}

func (r *Reporter) remember(stored *v1alpha1.NodeCertificateState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stored = stored
}

func (r *Reporter) wanted() (wanted, stored *v1alpha1.NodeCertificateState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	wanted = &v1alpha1.NodeCertificateState{
		ObjectMeta: metav1.ObjectMeta{Name: r.Node, OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "v1", Kind: "Node", Name: r.Node, UID: r.NodeUID,
		}}},
		AgentVersion: r.AgentVersion, NodeUID: string(r.NodeUID),
	}
	for _, entry := range r.entries {
		wanted.Certificates = append(wanted.Certificates, entry)
	}
	slices.SortFunc(wanted.Certificates, func(a, b v1alpha1.CertificateEntry) int { return strings.Compare(a.Name, b.Name) })
	return wanted, r.stored
}

func sameState(a, b *v1alpha1.NodeCertificateState) bool {
	return a.AgentVersion == b.AgentVersion && a.NodeUID == b.NodeUID &&
		equality.Semantic.DeepEqual(a.OwnerReferences, b.OwnerReferences) &&
		equality.Semantic.DeepEqual(a.Certificates, b.Certificates)
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
