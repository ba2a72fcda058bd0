package startuptaint

import (
	"context"
	"maps"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
)

// nodeChanged passes nodes that have the taint, or had it, if a field changed that matters here. It drops kubelet's own writes. A
// deleted node passes, so that its record is dropped.
func nodeChanged() predicate.Predicate {
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return isTainted(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			before, after := e.ObjectOld.(*corev1.Node), e.ObjectNew.(*corev1.Node)
			return (isTainted(before) || isTainted(after)) &&
				(before.UID != after.UID || !maps.Equal(before.Labels, after.Labels) ||
					!equality.Semantic.DeepEqual(before.Spec.Taints, after.Spec.Taints))
		},
	}
}

// reportChanged passes Leases that changed in whether the agent can write its report. It drops renewals.
func reportChanged() predicate.Predicate {
	unwritten := func(object client.Object) time.Time {
		lease, ok := object.(*coordinationv1.Lease)
		if !ok {
			return time.Time{}
		}
		return heartbeat.UnwrittenSince(lease)
	}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return !unwritten(e.Object).IsZero() },
		DeleteFunc: func(e event.DeleteEvent) bool { return !unwritten(e.Object).IsZero() },
		UpdateFunc: func(e event.UpdateEvent) bool { return !unwritten(e.ObjectOld).Equal(unwritten(e.ObjectNew)) },
	}
}

// nodeOf returns a request for the node of a Lease, which has the same name.
func nodeOf(_ context.Context, lease client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: lease.GetName()}}}
}

// requirementChanged passes ObservedCertificates that a node waits for, or waited for, if their spec changed. It drops the
// controller's status writes.
func requirementChanged() predicate.Predicate {
	required := func(object client.Object) bool {
		certificate, ok := object.(*v1alpha1.ObservedCertificate)
		return ok && certificate.Spec.RequireInitialSync
	}
	return predicate.Funcs{
		CreateFunc: func(e event.CreateEvent) bool { return required(e.Object) },
		DeleteFunc: func(e event.DeleteEvent) bool { return required(e.Object) },
		UpdateFunc: func(e event.UpdateEvent) bool {
			changed := e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() || e.ObjectOld.GetUID() != e.ObjectNew.GetUID() ||
				e.ObjectOld.GetDeletionTimestamp().IsZero() != e.ObjectNew.GetDeletionTimestamp().IsZero()
			return changed && (required(e.ObjectOld) || required(e.ObjectNew))
		},
	}
}

// taintedNodes returns a request for each node that has the taint, whichever certificate changed.
func (r *Reconciler) taintedNodes(ctx context.Context, _ client.Object) []reconcile.Request {
	nodes, err := r.allTainted(ctx)
	if err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "Cannot list the nodes with the startup taint") // the cache fails only when it stops
		return nil
	}
	requests := make([]reconcile.Request, 0, len(nodes))
	for _, node := range nodes {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(node)})
	}
	return requests
}

// allTainted returns the nodes that have the taint, from the cache: they must not be changed.
func (r *Reconciler) allTainted(ctx context.Context) ([]*corev1.Node, error) {
	var all corev1.NodeList
	if err := r.List(ctx, &all, client.UnsafeDisableDeepCopy); err != nil {
		return nil, err
	}
	var found []*corev1.Node
	for i := range all.Items {
		if isTainted(&all.Items[i]) {
			found = append(found, &all.Items[i])
		}
	}
	return found, nil
}
