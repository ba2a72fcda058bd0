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

	"github.com/vaultpane/vaultpane/internal/heartbeat"
)

// leaseRetry is the time between a failed renewal and the next attempt.
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
	// Overdue returns when the oldest overdue poll was due, zero for none. If nil, no annotation is written.
	Overdue func() time.Time
	// Unwritten returns since when the agent has had a report that it cannot write, zero for none. If nil, no annotation is
	// written.
	Unwritten func() time.Time

	mu sync.Mutex
}

// Adopt changes the UID after the Node was deleted and created again under its name.
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

// Start renews the Lease until the context ends, and at once when reports begin or cease to fail. A failed renewal is retried.
func (l *Lease) Start(ctx context.Context) error {
	log, logged := ctrl.LoggerFrom(ctx).WithName("lease"), ""
	var due time.Time
	failing := false
	for {
		if now := l.Now(); !now.Before(due) || failing != l.reportsFail() {
			fail := l.reportsFail()
			err := l.Renew(ctx)
			switch {
			case ctx.Err() != nil:
				return nil //nolint:nilerr // stopping
			case err != nil && err.Error() != logged:
				log.Error(err, "Cannot renew the Lease; this node will count as not reporting", "nextAttempt", leaseRetry.String())
				logged = err.Error()
			case err == nil:
				due, logged, failing = now.Add(heartbeat.Period), "", fail
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

// reportGrace is how long a report may be unwritten before the Lease says so: a failed write is retried within that time.
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
	now, holder, seconds := metav1.NewMicroTime(l.Now()), string(uid), int32(3*heartbeat.Period/time.Second)
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

// annotate sets the Lease's annotations. A poll that is overdue by less than a period may be made in a moment, while the Lease
// would show it for minutes.
func (l *Lease) annotate(lease *coordinationv1.Lease) {
	var overdue, unwritten time.Time
	if l.Overdue != nil {
		if since := l.Overdue(); !since.IsZero() && l.Now().Sub(since) > heartbeat.Period {
			overdue = since
		}
	}
	if l.reportsFail() {
		unwritten = l.Unwritten()
	}
	heartbeat.Annotate(lease, overdue, unwritten)
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
