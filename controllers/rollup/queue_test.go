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

// queueTime is how long the queues are watched. The decision in docs/architecture.md was made on five minutes.
var queueTime = flag.Duration("queue-time", 10*time.Second, "how long to watch 5,000 objects on each of controller-runtime's queues")

const (
	queuedObjects = 5000
	longestPause  = 4 * time.Second
)

// Both queues of controller-runtime, with 5,000 objects that ask to come again and again and are added from outside
// meanwhile. None may be forgotten: each comes once more when the time is over, however long a slow machine takes for it.
func TestNoObjectIsForgottenByTheQueue(t *testing.T) {
	for _, priority := range []bool{false, true} {
		t.Run(fmt.Sprintf("priority queue %v", priority), func(t *testing.T) {
			t.Parallel()
			book := &attendance{last: map[string]time.Time{}}
			queued, err := controller.NewTypedUnmanaged(fmt.Sprintf("queue-%v", priority), controller.TypedOptions[reconcile.Request]{
				Reconciler: reconcile.Func(book.come), UsePriorityQueue: &priority, MaxConcurrentReconciles: 4, Logger: logr.Discard(),
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
			t.Log(book)
			over := time.Now()
			await.That(t, "every object has come once more", func() (bool, error) { return book.since(over) == queuedObjects, nil })
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
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

// since counts the objects that have come since a time.
func (a *attendance) since(begin time.Time) (count int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, at := range a.last {
		if at.After(begin) {
			count++
		}
	}
	return count
}

// String says how many came, and the longest absence, that of objects that have not come back included.
func (a *attendance) String() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	longest := a.longest
	for _, at := range a.last {
		longest = max(longest, time.Since(at))
	}
	return fmt.Sprintf("%d reconciles of %d objects, the longest absence %s", a.count, len(a.last), longest.Round(time.Millisecond))
}
