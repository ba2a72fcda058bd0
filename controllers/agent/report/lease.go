package report

import (
	"context"
	"fmt"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// LeasePeriod is the time between two renewals. A node whose Lease is older than three of them counts as not reporting.
const LeasePeriod = 5 * time.Minute

// leaseRetry is the time after a renewal that failed.
const leaseRetry = 15 * time.Second

// Lease is the agent's heartbeat: a small object in the agents' namespace with the node's name, owned by the Node. Its
// time also tells a restarted agent which polling slots it missed.
type Lease struct {
	// Client reads and writes without a cache.
	Client client.Client
	// Namespace is the namespace of the Lease.
	Namespace string
	// Node and NodeUID are the node's. Adopt changes the UID once the Lease is in use.
	Node    string
	NodeUID types.UID
	// Now is the clock.
	Now func() time.Time
	// Renewed is called after each renewal.
	Renewed func(ctx context.Context)
	// Overdue returns when the oldest poll was due that has not been made, zero for none. Nil tells nobody.
	Overdue func() time.Time
	// Unwritten returns since when the agent has had something to report that it cannot write, zero for nothing. Nil tells nobody.
	Unwritten func() time.Time

	mu sync.Mutex
}

// Adopt takes up that the Node was made anew under its name.
func (l *Lease) Adopt(uid types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.NodeUID = uid
}

func (l *Lease) nodeUID() types.UID {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.NodeUID
}

// LastRenewal returns when the Lease was last renewed for this very node, zero if never.
func (l *Lease) LastRenewal(ctx context.Context) (time.Time, error) {
	lease, err := l.read(ctx)
	if err != nil || lease == nil || lease.Spec.RenewTime == nil {
		return time.Time{}, err
	}
	if holder := lease.Spec.HolderIdentity; holder == nil || *holder != string(l.nodeUID()) {
		return time.Time{}, nil
	}
	return lease.Spec.RenewTime.Time, nil
}

// Start renews the Lease until the context ends, and at once when reports begin or cease to fail. A renewal that fails is tried
// again and stops nothing else.
func (l *Lease) Start(ctx context.Context) error {
	log, told := ctrl.LoggerFrom(ctx).WithName("lease"), ""
	var due time.Time
	failing := false
	for {
		if now := l.Now(); !now.Before(due) || failing != l.reportsFail() {
			fail := l.reportsFail()
			err := l.Renew(ctx)
			switch {
			case ctx.Err() != nil:
				return nil //nolint:nilerr // stopping
			case err != nil && err.Error() != told:
				log.Error(err, "Cannot renew the Lease; this node will count as not reporting", "nextAttempt", leaseRetry.String())
				told = err.Error()
			case err == nil:
				due, told, failing = now.Add(LeasePeriod), "", fail
				if l.Renewed != nil {
					l.Renewed(ctx)
				}
			}
		}
		if !sleep(ctx, leaseRetry) {
			return nil
		}
	}
}

// reportGrace is how long a report may be unwritten before the Lease says so: a write is tried again within it.
const reportGrace = time.Minute

// reportsFail reports whether the agent has not been able to write its report for some time.
func (l *Lease) reportsFail() bool {
	if l.Unwritten == nil {
		return false
	}
	since := l.Unwritten()
	return !since.IsZero() && l.Now().Sub(since) > reportGrace
}

// Renew writes the Lease once.
func (l *Lease) Renew(ctx context.Context) error {
	lease, err := l.read(ctx)
	if err != nil {
		return err
	}
	create := lease == nil
	if create {
		lease = &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: l.Namespace, Name: l.Node}}
	}
	uid := l.nodeUID()
	lease.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "Node", Name: l.Node, UID: uid}}
	now, holder, seconds := metav1.NewMicroTime(l.Now()), string(uid), int32(3*LeasePeriod/time.Second)
	lease.Spec.RenewTime, lease.Spec.HolderIdentity, lease.Spec.LeaseDurationSeconds = &now, &holder, &seconds
	l.annotate(lease)
	if create {
		err = l.Client.Create(ctx, lease)
	} else {
		err = l.Client.Update(ctx, lease)
	}
	if err != nil {
		return fmt.Errorf("writing Lease %s/%s: %w", l.Namespace, l.Node, err)
	}
	return nil
}

// Annotations of the Lease, RFC 3339 times. The Lease is written anyway, so they cost no request: since when an agent's oldest
// poll is overdue, and since when it cannot write its report.
const (
	overdueAnnotation   = "vaultpane.dev/poll-overdue-since"
	unwrittenAnnotation = "vaultpane.dev/report-unwritten-since"
)

func (l *Lease) annotate(lease *coordinationv1.Lease) {
	delete(lease.Annotations, overdueAnnotation)
	delete(lease.Annotations, unwrittenAnnotation)
	if l.Overdue != nil {
		// What is late by less than a period may be done in a moment, and the Lease would say so for minutes.
		if since := l.Overdue(); !since.IsZero() && l.Now().Sub(since) > LeasePeriod {
			metav1.SetMetaDataAnnotation(&lease.ObjectMeta, overdueAnnotation, since.UTC().Format(time.RFC3339))
		}
	}
	if l.reportsFail() {
		metav1.SetMetaDataAnnotation(&lease.ObjectMeta, unwrittenAnnotation, l.Unwritten().UTC().Format(time.RFC3339))
	}
}

// OverdueSince returns since when the oldest poll of a Lease's agent was overdue at its last renewal, zero for none.
func OverdueSince(lease *coordinationv1.Lease) time.Time { return annotated(lease, overdueAnnotation) }

// UnwrittenSince returns since when a Lease's agent could not write its report at its last renewal, zero where it could: what
// the node's state says is older than that.
func UnwrittenSince(lease *coordinationv1.Lease) time.Time {
	return annotated(lease, unwrittenAnnotation)
}

func annotated(lease *coordinationv1.Lease, name string) time.Time {
	since, err := time.Parse(time.RFC3339, lease.Annotations[name])
	if err != nil {
		return time.Time{}
	}
	return since
}

// read returns the Lease, nil if there is none.
func (l *Lease) read(ctx context.Context) (*coordinationv1.Lease, error) {
	var lease coordinationv1.Lease
	err := l.Client.Get(ctx, types.NamespacedName{Namespace: l.Namespace, Name: l.Node}, &lease)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading Lease %s/%s: %w", l.Namespace, l.Node, err)
	}
	return &lease, nil
}
