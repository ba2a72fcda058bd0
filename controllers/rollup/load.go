package rollup

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// publish fills the index with all there is, and then writes statuses until the context ends. Nothing is written before: a
// status from half of the nodes would be wrong.
func (r *Rollup) publish(ctx context.Context) error {
	ctx = ctrl.LoggerInto(ctx, ctrl.Log.WithName("rollup"))
	if err := r.load(ctx); err != nil {
		if ctx.Err() != nil {
			return nil //nolint:nilerr // stopping
		}
		return err
	}
	p := &publisher{
		client: r.Client, events: r.Events, index: r.index, outbox: r.outbox, meters: r.meters, now: r.Now,
		soon: r.ExpiringSoon, budget: newBudget(r.WatchEvents), written: map[string]written{}, told: map[string]*story{},
	}
	p.run(ctx)
	return nil
}

// load reads all nodes and certificates from the cache, which is complete when it answers.
func (r *Rollup) load(ctx context.Context) error {
	var (
		nodes        corev1.NodeList
		certificates v1alpha1.ObservedCertificateList
	)
	for _, list := range []client.ObjectList{&nodes, &certificates} {
		if err := r.List(ctx, list); err != nil {
			return fmt.Errorf("reading what there is: %w", err)
		}
	}
	for i := range certificates.Items {
		if _, err := r.reconcileCertificate(ctx, requestFor(certificates.Items[i].Name)); err != nil {
			return err
		}
	}
	for i := range nodes.Items {
		if _, _, err := r.observeNode(ctx, nodes.Items[i].Name); err != nil {
			return err
		}
	}
	r.index.loaded()
	return nil
}

func requestFor(name string) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: name}}
}
