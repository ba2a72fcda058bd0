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

// pageSize is the number of nodes that are read at once. A Windows node with its list of images has some 20 KB.
const pageSize = 500

// RemoveAll takes the startup taint off every node, whatever the node waits for, and returns from how many. It is for
// uninstalling: without the controller nobody else would. A node that fails is passed over; the error counts these and wraps
// the first one's. The client must read from the API server and not from a cache.
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
			next = "" // the list became too old while we worked: from the start, what is done needs no second visit
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
		return removed, fmt.Errorf("%d nodes keep the startup taint, the first of them: %w", failed, first)
	}
	return removed, nil
}
