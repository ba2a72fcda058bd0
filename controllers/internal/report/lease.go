package report

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// LeasePeriod is the time between two renewals. A node whose Lease is older than three of them counts as not reporting.
const LeasePeriod = 5 * time.Minute

// leaseRetry is the time after a renewal that failed.
const leaseRetry = 15 * time.Second

// Lease is the agent's sign of life: a small object in the agents' namespace with the node's name, owned by the Node. Its
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

// Start renews the Lease until the context ends. A renewal that fails is tried again and stops nothing else.
func (l *Lease) Start(ctx context.Context) error {
	for {
		wait := LeasePeriod
		if err := l.renew(ctx); err != nil {
			logr.FromContextOrDiscard(ctx).Info("Renewing the Lease again later", "cause", err.Error())
			wait = leaseRetry
		} else if l.Renewed != nil {
			l.Renewed(ctx)
		}
		if !sleep(ctx, wait) {
			return nil
		}
	}
}

func (l *Lease) renew(ctx context.Context) error {
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
	l.tellOverdue(lease)
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

// overdueAnnotation says since when an agent's oldest poll is overdue, as an RFC 3339 time. It rides on the Lease, which is
// written anyway: a gauge for the whole cluster that costs no request.
const overdueAnnotation = "vaultpane.dev/poll-overdue-since"

func (l *Lease) tellOverdue(lease *coordinationv1.Lease) {
	delete(lease.Annotations, overdueAnnotation)
	if l.Overdue == nil {
		return
	}
	// What is late by less than a period may be done in a moment, and the Lease would say so for minutes.
	if since := l.Overdue(); !since.IsZero() && l.Now().Sub(since) > LeasePeriod {
		metav1.SetMetaDataAnnotation(&lease.ObjectMeta, overdueAnnotation, since.UTC().Format(time.RFC3339))
	}
}

// OverdueSince returns since when the oldest poll of a Lease's agent was overdue at its last renewal, zero for none.
func OverdueSince(lease *coordinationv1.Lease) time.Time {
	since, err := time.Parse(time.RFC3339, lease.Annotations[overdueAnnotation])
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
