package startuptaint

import (
	"context"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/internal/startupwait"
)

// When a wait is reported by an event. If a thousand nodes start together, all of them wait for a minute or two, which is not worth
// a thousand events.
const (
	settleTime   = 10 * time.Second // how long the node must have waited for the same
	newNodeGrace = time.Minute      // and how old it must be, unless a person must act
	repeatAfter  = time.Hour        // the default lifetime of events (kube-apiserver --event-ttl)
)

// All nodes share a budget of events about waiting: a thousand nodes with the same failure are reported one after the other, and
// the first twenty events are informative enough.
const (
	eventsPerSecond = 1
	eventBurst      = 20
	budgetRetry     = 30 * time.Second // the delay before a node retries after the budget was exhausted
)

// waitRecord is what a node waits for (keyOf), since when, and the last event about it.
type waitRecord struct {
	key       string
	since     time.Time
	emitted   string // the key in the last event
	emittedAt time.Time
}

// next records what a node waits for, and decides whether to emit an event now or else when to check again. It is a pure function.
func (r waitRecord) next(key string, needsAction bool, created, now time.Time) (updated waitRecord, emit bool, again time.Duration) {
	if r.key != key {
		r.key, r.since = key, now
	}
	due := r.since.Add(settleTime)
	if old := created.Add(newNodeGrace); !needsAction && old.After(due) {
		due = old
	}
	if repeat := r.emittedAt.Add(repeatAfter); r.emitted == key && repeat.After(due) {
		due = repeat
	}
	if due.After(now) {
		return r, false, due.Sub(now)
	}
	return r, true, repeatAfter
}

// reportWait emits an event about what a node waits for, once it has waited for the same long enough. It returns when to check
// again.
func (r *Reconciler) reportWait(ctx context.Context, node *corev1.Node, waiting startupwait.Wait) time.Duration {
	known, now := r.records.of(node), r.Now()
	updated, emit, again := known.wait.next(keyOf(waiting), waiting.NeedsAction(), node.CreationTimestamp.Time, now)
	switch {
	case emit && r.budget.TryAccept():
		updated.emitted, updated.emittedAt = updated.key, now
		r.emitWaiting(node, waiting)
		ctrl.LoggerFrom(ctx).Info("The startup taint remains", "waitingFor", waiting.String())
	case emit:
		again = budgetRetry + rand.N(budgetRetry) // so that the nodes do not all retry together
	}
	known.wait = updated
	r.records.put(node, known)
	return again
}
