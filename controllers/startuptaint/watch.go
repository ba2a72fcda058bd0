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

// nodeChanged lets through nodes that have the taint, or had it, when something changed that is looked at. Kubelet's own
// writes end here. A deleted node passes, to be forgotten.
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

// reportChanged lets through Leases that say something else than before about whether the agent can write its report. Renewals end
// here.
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

// nodeOf returns a request for the node of a Lease, which has its name.
func nodeOf(_ context.Context, lease client.Object) []reconcile.Request {
	return []reconcile.Request{{NamespacedName: types.NamespacedName{Name: lease.GetName()}}}
}

// requirementChanged lets through ObservedCertificates that a node may wait for, or may have waited for, when their spec
// changed. The controller's status writes end here.
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
		ctrl.LoggerFrom(ctx).Error(err, "Cannot look which nodes have the startup taint") // the cache fails only when it stops
		return nil
	}
	requests := make([]reconcile.Request, 0, len(nodes))
	for _, node := range nodes {
		requests = append(requests, reconcile.Request{NamespacedName: client.ObjectKeyFromObject(node)})
	}
	return requests
}

// allTainted returns the nodes that have the taint, as the cache holds them: they must not be changed.
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
