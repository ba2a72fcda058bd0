package startuptaint_test

import (
	"context"
	"testing"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/test/install"
)

// unwritten is since when an agent has not been able to write its report.
const unwritten = "2026-06-01T12:00:00Z"

// renew writes a node's Lease as its agent does. since is since when the agent has not been able to write its report, empty for an
// agent that can.
func (c *cluster) renew(ctx context.Context, node *corev1.Node, since string) error {
	holder := string(node.UID)
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: install.Namespace, Name: node.Name}}
	err := c.kube.Get(ctx, client.ObjectKeyFromObject(lease), lease)
	if client.IgnoreNotFound(err) != nil {
		return err
	}
	lease.Spec.HolderIdentity, lease.Annotations = &holder, nil
	if since != "" {
		lease.Annotations = map[string]string{"vaultpane.dev/report-unwritten-since": since}
	}
	if err != nil {
		return c.kube.Create(ctx, lease)
	}
	return c.kube.Update(ctx, lease)
}

func TestANodeWithAnOutdatedReportKeepsTheTaint(t *testing.T) {
	h, ctx := newHarness(t), t.Context()
	must(t, h.require(ctx, "web"))
	node := h.add("unwritten", startup)
	must(t, h.report(ctx, node, installed("web", 1)))
	must(t, h.renew(ctx, node, unwritten))
	h.expectTaints("while the agent cannot write", node.Name, ours)
	earlier := node.DeepCopy()
	earlier.UID = "of-an-earlier-node"
	must(t, h.renew(ctx, earlier, unwritten))
	h.expectTaints("when an earlier node of that name could not", node.Name)
}
