package startuptaint

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// pageSize is the number of nodes in one list request. A Windows node with its list of images has about 20 KB.
const pageSize = 500

// RemoveAll removes the startup taint from every node, whatever the node waits for, and returns from how many. It is for
// uninstalling: without the controller nothing else removes it. It continues after a failure; the error counts the failures and
// wraps the first. The client must read from the API server and not from a cache.
func RemoveAll(ctx context.Context, c client.Client, log logr.Logger) (int, error) {
	return removeAll(ctx, c, log, pageSize)
}

func removeAll(ctx context.Context, c client.Client, log logr.Logger, limit int64) (int, error) {
	removed, failed := 0, 0
	var first error
	for next := ""; ; {
		var page corev1.NodeList
		err := c.List(ctx, &page, client.Limit(limit), client.Continue(next))
		if apierrors.IsResourceExpired(err) && next != "" {
			next = "" // the list expired: start over, finished nodes have no taint any more
			continue
		}
		if err != nil {
			return removed, fmt.Errorf("listing the nodes after %d removals of the startup taint: %w", removed, err)
		}
		for i := range page.Items {
			left, err := removeTaint(ctx, c, c, &page.Items[i])
			if err != nil {
				log.Error(err, "Cannot remove the startup taint", "Node", klog.KObj(&page.Items[i]))
				failed++
				if first == nil {
					first = err
				}
			} else if left != nil {
				log.Info("Removed the startup taint", "Node", klog.KObj(left))
				removed++
			}
		}
		if next = page.Continue; next == "" {
			break
		}
	}
	if failed > 0 {
		return removed, fmt.Errorf("%d nodes still have the startup taint; the first failure: %w", failed, first)
	}
	return removed, nil
}
