package startuptaint_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vaultpane/vaultpane/controllers/startuptaint"
)

func TestRemoveAllVisitsEveryNodeAndContinuesAfterAFailure(t *testing.T) {
	c, ctx := newCluster(t), t.Context()
	const nodes = 23
	for i := range nodes {
		taints := []corev1.Taint{startup, gpu}
		if i%3 == 0 {
			taints = []corev1.Taint{gpu}
		}
		_, err := c.addNode(ctx, numbered("n", i), taints...)
		must(t, err)
	}
	plain, err := client.NewWithWatch(c.controller, client.Options{Scheme: scheme})
	must(t, err)
	pages, failing := 0, numbered("n", 4)
	kube := interceptor.NewClient(plain, interceptor.Funcs{
		List: func(ctx context.Context, kube client.WithWatch, list client.ObjectList, options ...client.ListOption) error {
			pages++
			return kube.List(ctx, list, options...)
		},
		Patch: func(ctx context.Context, kube client.WithWatch, object client.Object, patch client.Patch, options ...client.PatchOption) error {
			if object.GetName() == failing {
				return errors.New("denied")
			}
			return kube.Patch(ctx, object, patch, options...)
		},
	})
	removed, err := startuptaint.RemoveAllInPages(ctx, kube, log.logger(), 5)
	if removed != 14 || err == nil || !strings.Contains(err.Error(), "1 nodes still have the startup taint; the first failure: removing the startup taint of Node n-0004: denied") {
		t.Errorf("it removed %d taints and returned the error %v, want 14 and the error of one node", removed, err)
	}
	if pages != 5 {
		t.Errorf("it read %d pages, want 5", pages)
	}
	failing = ""
	if removed, err = startuptaint.RemoveAll(ctx, kube, log.logger()); removed != 1 || err != nil {
		t.Errorf("the second time it removed %d taints with the error %v, want the remaining one", removed, err)
	}
	for i := range nodes {
		taints, err := c.taints(ctx, numbered("n", i))
		if err != nil || len(taints) != 1 || taints[0] != "sku=gpu:NoSchedule" {
			t.Errorf("node %d has the taints %v (%v), want the other one", i, taints, err)
		}
	}
}
