package apiserver

import (
	"context"
	"errors"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// oneInformer is a cache with one informer of client-go.
type oneInformer struct {
	cache.Cache
	informer toolscache.SharedIndexInformer
}

func (c oneInformer) GetInformer(context.Context, client.Object, ...cache.InformerGetOption) (cache.Informer, error) {
	return c.informer, nil
}

func (c oneInformer) WaitForCacheSync(context.Context) bool { return c.informer.HasSynced() }

// listing returns a cache whose informer gets its list of two nodes when list is closed.
func listing(t *testing.T) (c *promptCache, list chan struct{}) {
	t.Helper()
	list = make(chan struct{})
	informer := toolscache.NewSharedIndexInformer(toolscache.ToListWatcherWithWatchListSemantics(&toolscache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, _ metav1.ListOptions) (runtime.Object, error) {
			select {
			case <-list:
			case <-ctx.Done():
			}
			return &corev1.NodeList{Items: make([]corev1.Node, 2)}, ctx.Err()
		},
		WatchFuncWithContext: func(context.Context, metav1.ListOptions) (watch.Interface, error) { return watch.NewFake(), nil },
	}, noWatchList{}), &corev1.Node{}, 0, toolscache.Indexers{})
	go informer.RunWithContext(t.Context())
	return &promptCache{Cache: oneInformer{informer: informer}, used: map[cache.Informer]bool{}}, list
}

// noWatchList is a client that does not stream lists.
type noWatchList struct{}

func (noWatchList) IsWatchListSemanticsUnSupported() bool { return true }

func TestACacheIsWaitedForUntilItHasItsListAndItsHandlerToo(t *testing.T) {
	c, list := listing(t)
	time.AfterFunc(50*time.Millisecond, func() { close(list) })
	informer, err := c.GetInformer(t.Context(), &corev1.Node{})
	if err != nil || !informer.HasSynced() {
		t.Fatalf("got the informer, with its list: %t (%v)", informer.HasSynced(), err)
	}
	seen := make(chan struct{}, 2)
	slow := toolscache.ResourceEventHandlerFuncs{AddFunc: func(any) {
		<-time.After(20 * time.Millisecond)
		seen <- struct{}{}
	}}
	registration, err := informer.AddEventHandlerWithOptions(slow, toolscache.HandlerOptions{})
	if err != nil || !registration.HasSynced() || len(seen) == 0 {
		t.Errorf("the handler has had %d objects of the list (%v)", len(seen), err)
	}
	if !c.WaitForCacheSync(t.Context()) {
		t.Error("the cache is not filled")
	}
}

func TestACallerThatDoesNotWaitGetsTheInformerAtOnce(t *testing.T) {
	c, list := listing(t)
	informer, err := c.GetInformer(t.Context(), &corev1.Node{}, cache.BlockUntilSynced(false))
	if err != nil || informer.HasSynced() {
		t.Errorf("got %v, %v", informer, err)
	}
	time.AfterFunc(50*time.Millisecond, func() { close(list) })
	if !c.WaitForCacheSync(t.Context()) {
		t.Error("the cache is not filled")
	}
}

func TestACacheThatIsNotFilledEndsWithTheContext(t *testing.T) {
	c, _ := listing(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.GetInformer(ctx, &corev1.Node{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	if c.WaitForCacheSync(ctx) {
		t.Error("it is filled")
	}
}
