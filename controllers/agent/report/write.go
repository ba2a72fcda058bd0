package report

import (
	"context"
	"errors"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/debounce"
	"github.com/vaultpane/vaultpane/internal/nodestate"
)

// Collecting: a write waits until nothing has changed for quiet, but not longer than longestWait, so that the first sync of
// a thousand certificates costs a write or two and not a thousand.
const (
	quiet       = time.Second
	longestWait = 30 * time.Second
	retry       = 2 * time.Second // after a write that failed; doubled up to retryCap
	retryCap    = time.Minute
)

// Start writes changes until the context ends. A failed write is retried, with the changes made since.
func (r *Reporter) Start(ctx context.Context) error {
	for r.collect(ctx) {
		if !r.writeUntilDone(ctx) {
			return nil
		}
	}
	return nil
}

// writeUntilDone returns false when the context has ended. A cause is logged once as an error.
func (r *Reporter) writeUntilDone(ctx context.Context) bool {
	log, logged := ctrl.LoggerFrom(ctx).WithName("report"), ""
	for wait := retry; ; wait = min(2*wait, retryCap) {
		begun := r.Now()
		err := r.write(ctx)
		if errors.Is(err, errStale) { // what is there now has been read
			err = r.write(ctx)
		}
		if err == nil {
			r.written(begun)
			if logged != "" {
				log.Info("The node's state can be written again")
			}
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		r.countFailure()
		if cause := err.Error(); cause != logged {
			log.Error(err, "Cannot write the node's state; the cluster still sees the previous report", "nextAttempt", wait.String())
			logged = cause
		}
		if !sleep(ctx, wait) {
			return false
		}
	}
}

// errStale says that the stored object differs from the known one.
var errStale = errors.New("another client changed or deleted it")

// written records a successful write, which contained every change from before it began.
func (r *Reporter) written(begun time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	select {
	case <-r.changed: // since
		r.changed <- struct{}{}
		r.pending = begun
	default:
		r.pending = time.Time{}
	}
}

func (r *Reporter) countFailure() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failures++
}

// collect waits for a change, and then until there are no more. It returns false when the context has ended.
func (r *Reporter) collect(ctx context.Context) bool {
	select {
	case <-r.changed:
	case <-ctx.Done():
		return false
	}
	return debounce.Quiet(ctx, r.changed, quiet, time.After(longestWait))
}

func sleep(ctx context.Context, wait time.Duration) bool {
	select {
	case <-time.After(wait):
		return true
	case <-ctx.Done():
		return false
	}
}

// write updates the stored object to match the entries. It writes nothing when nothing differs.
func (r *Reporter) write(ctx context.Context) error {
	desired, stored := r.desired()
	if stored != nil && sameState(stored, desired) {
		return nil
	}
	var err error
	if stored == nil {
		err = r.Client.Create(ctx, desired)
	} else {
		desired.ResourceVersion = stored.ResourceVersion
		err = r.Client.Update(ctx, desired)
	}
	if apierrors.IsInvalid(err) && r.replaceRefused(desired, err) {
		return r.write(ctx)
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err) {
		// Another client wrote or deleted it: start from the current object.
		fresh, readErr := r.read(ctx)
		if readErr != nil {
			return readErr
		}
		r.remember(fresh)
		return fmt.Errorf("writing NodeCertificateState %s: %w: %w", r.Node, errStale, err)
	}
	if err != nil {
		return fmt.Errorf("writing NodeCertificateState %s: %w", r.Node, err)
	}
	r.remember(desired)
	return nil
}

func (r *Reporter) remember(stored *v1alpha1.NodeCertificateState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stored = stored
}

func (r *Reporter) desired() (desired, stored *v1alpha1.NodeCertificateState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	desired = &v1alpha1.NodeCertificateState{
		ObjectMeta: metav1.ObjectMeta{Name: r.Node, OwnerReferences: []metav1.OwnerReference{{
			APIVersion: "v1", Kind: "Node", Name: r.Node, UID: r.NodeUID,
		}}},
		AgentVersion: r.AgentVersion, NodeUID: string(r.NodeUID),
	}
	desired.Certificates = r.entries.Sorted()
	desired.Summary = nodestate.Summarize(desired.Certificates)
	nodestate.Fit(desired, nodestate.MaxSize)
	return desired, r.stored
}

func sameState(a, b *v1alpha1.NodeCertificateState) bool {
	return a.AgentVersion == b.AgentVersion && a.NodeUID == b.NodeUID &&
		equality.Semantic.DeepEqual(a.OwnerReferences, b.OwnerReferences) &&
		equality.Semantic.DeepEqual(a.Certificates, b.Certificates) &&
		equality.Semantic.DeepEqual(a.Omitted, b.Omitted) && equality.Semantic.DeepEqual(a.Summary, b.Summary)
}
