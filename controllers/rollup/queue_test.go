package rollup_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// queueTime is how long the queues are watched. The decision in docs/architecture.md was made on five minutes.
var queueTime = flag.Duration("queue-time", 10*time.Second, "how long to watch 5,000 objects on each of controller-runtime's queues")

const (
	queuedObjects = 5000
	longestPause  = 4 * time.Second
	forgotten     = longestPause + 20*time.Second // a busy machine's share included
)

// Both queues of controller-runtime, with 5,000 objects that ask to come again and again and are added from outside
// meanwhile. None may be forgotten.
func TestNoObjectIsForgottenByTheQueue(t *testing.T) {
	for _, priority := range []bool{false, true} {
		t.Run(fmt.Sprintf("priority queue %v", priority), func(t *testing.T) {
			t.Parallel()
			book := &attendance{last: map[string]time.Time{}}
			ctx, cancel := context.WithTimeout(t.Context(), *queueTime)
			defer cancel()
			queued, err := controller.NewTypedUnmanaged(fmt.Sprintf("queue-%v", priority), controller.TypedOptions[reconcile.Request]{
				Reconciler: reconcile.Func(book.come), UsePriorityQueue: &priority, MaxConcurrentReconciles: 4, Logger: logr.Discard(),
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := queued.Watch(source.Func(churn)); err != nil {
				t.Fatal(err)
			}
			if err := queued.Start(ctx); err != nil {
				t.Fatal(err)
			}
			worst, reconciles := book.worst()
			t.Logf("%d reconciles of %d objects in %s, the longest absence %s", reconciles, len(book.last), *queueTime, worst.Round(time.Millisecond))
			if len(book.last) != queuedObjects || worst > forgotten {
				t.Errorf("%d of %d objects came, one was away for %s", len(book.last), queuedObjects, worst)
			}
		})
	}
}

// churn adds all objects, and then some at random until the end, as watch events do.
func churn(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	for number := range queuedObjects {
		queue.Add(requestFor(number))
	}
	go func() {
		ticker := time.NewTicker(5 * time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				queue.Add(requestFor(rand.IntN(queuedObjects)))
			case <-ctx.Done():
				return
			}
		}
	}()
	return nil
}

func requestFor(number int) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Name: fmt.Sprint(number)}}
}

// attendance notes when each object came last, and the longest time that one stayed away.
type attendance struct {
	mu      sync.Mutex
	last    map[string]time.Time
	longest time.Duration
	count   int
}

func (a *attendance) come(_ context.Context, request reconcile.Request) (reconcile.Result, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	if before, known := a.last[request.Name]; known {
		a.longest = max(a.longest, now.Sub(before))
	}
	a.last[request.Name] = now
	a.count++
	return reconcile.Result{RequeueAfter: time.Second + rand.N(longestPause-time.Second)}, nil
}

// worst is the longest absence, that of objects that have not come back included.
func (a *attendance) worst() (time.Duration, int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	longest := a.longest
	for _, at := range a.last {
		longest = max(longest, time.Since(at))
	}
	return longest, a.count
}
