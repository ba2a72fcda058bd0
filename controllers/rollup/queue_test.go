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

	"github.com/vaultpane/vaultpane/test/await"
)

// queueTime is how long each queue is observed. The decision in docs/architecture.md is based on five minutes.
var queueTime = flag.Duration("queue-time", 10*time.Second, "how long to observe 5,000 objects on each of controller-runtime's queues")

const (
	queuedObjects = 5000
	longestPause  = 4 * time.Second
)

// Both queues of controller-runtime hold 5,000 objects that are requeued repeatedly and added from outside. None may be
// forgotten: each must be reconciled once more after the observation time, however slow the machine is.
func TestNoObjectIsForgottenByTheQueue(t *testing.T) {
	for _, priority := range []bool{false, true} {
		t.Run(fmt.Sprintf("priority queue %v", priority), func(t *testing.T) {
			t.Parallel()
			recorded := &reconciles{last: map[string]time.Time{}}
			queued, err := controller.NewTypedUnmanaged(fmt.Sprintf("queue-%v", priority), controller.TypedOptions[reconcile.Request]{
				Reconciler: reconcile.Func(recorded.reconcile), UsePriorityQueue: &priority, MaxConcurrentReconciles: 4, Logger: logr.Discard(),
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := queued.Watch(source.Func(churn)); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error, 1)
			go func() { ended <- queued.Start(ctx) }()
			<-time.After(*queueTime)
			t.Log(recorded)
			over := time.Now()
			await.That(t, "every object was reconciled once more", func() (bool, error) { return recorded.since(over) == queuedObjects, nil })
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
	}
}

// churn adds all objects, and then random ones until the context ends, as watch events do.
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

// reconciles records when each object was last reconciled, and the longest time between two reconciles.
type reconciles struct {
	mu      sync.Mutex
	last    map[string]time.Time
	longest time.Duration
	count   int
}

func (a *reconciles) reconcile(_ context.Context, request reconcile.Request) (reconcile.Result, error) {
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

// since counts the objects that were reconciled since a time.
func (a *reconciles) since(begin time.Time) (count int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, at := range a.last {
		if at.After(begin) {
			count++
		}
	}
	return count
}

// String returns the number of reconciles and the longest pause, including the current one of each object.
func (a *reconciles) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	longest := a.longest
	for _, at := range a.last {
		longest = max(longest, time.Since(at))
	}
	return fmt.Sprintf("%d reconciles of %d objects, the longest pause %s", a.count, len(a.last), longest.Round(time.Millisecond))
}
