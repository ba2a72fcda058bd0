package startuptaint

import (
	"context"
	"math/rand/v2"
	"time"

	corev1 "k8s.io/api/core/v1"
	ctrl "sigs.k8s.io/controller-runtime"
)

// When a node's wait is told. A thousand nodes that come up together wait for a minute or two and a thousand events would
// help no one.
const (
	settled = 10 * time.Second // that long it must have waited for the same
	youth   = time.Minute      // and be that old, unless someone must act
	renewal = time.Hour        // events live that long by default (kube-apiserver --event-ttl)
)

// All nodes together share a budget of events about waiting: a thousand nodes with the same trouble are told one after the
// other, and the first twenty say enough.
const (
	tellPerSecond = 1
	tellBurst     = 20
	overBudget    = 30 * time.Second // until a node that found the budget spent tries again
)

// told is what a node waits for, since when, and what was told of it.
type told struct {
	waits  string
	since  time.Time
	said   string
	saidAt time.Time
}

// next takes note of what a node waits for, and decides whether to say it now and else when. It is a pure function.
func (t told) next(waits string, failed bool, created, now time.Time) (updated told, say bool, again time.Duration) {
	if t.waits != waits {
		t.waits, t.since = waits, now
	}
	due := t.since.Add(settled)
	if grown := created.Add(youth); !failed && grown.After(due) {
		due = grown
	}
	if renew := t.saidAt.Add(renewal); t.said == waits && renew.After(due) {
		due = renew
	}
	if due.After(now) {
		return t, false, due.Sub(now)
	}
	return t, true, renewal
}

// tell says what a node waits for, when that has stood for a moment and was not said before. It returns when to look again.
func (r *Reconciler) tell(ctx context.Context, node *corev1.Node, waiting wait) time.Duration {
	known, now := r.memory.of(node), r.Now()
	updated, say, again := known.told.next(waiting.key(), waiting.failed(), node.CreationTimestamp.Time, now)
	switch {
	case say && r.budget.TryAccept():
		updated.said, updated.saidAt = updated.waits, now
		r.sayWaiting(node, waiting)
		ctrl.LoggerFrom(ctx).Info("The node keeps its startup taint", "waitsFor", waiting.String())
	case say:
		again = overBudget + rand.N(overBudget) // so that they do not all come back together
	}
	known.told = updated
	r.memory.put(node, known)
	return again
}
