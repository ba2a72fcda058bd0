package writequeue

import (
	"cmp"
	"slices"
	"time"
)

// maxDelay is how long more urgent writes may delay a write.
const maxDelay = 30 * time.Second

// Urgency orders the writes when the budget does not allow all of them.
type Urgency int

// Urgencies, the most urgent first.
const (
	Published   Urgency = iota // another version or generation
	Completed                  // Ready became True
	NewReason                  // another reason
	CountsAlone                // only numbers changed
)

// Sort sorts writes: first those delayed by more than maxDelay, oldest first; then by urgency; then oldest first. of returns
// a write's age and urgency.
func Sort[W any](writes []W, now time.Time, of func(W) (Pending, Urgency)) {
	slices.SortFunc(writes, func(a, b W) int {
		pendingA, urgencyA := of(a)
		pendingB, urgencyB := of(b)
		delayedA, delayedB := now.Sub(pendingA.Since) > maxDelay, now.Sub(pendingB.Since) > maxDelay
		age := pendingA.Since.Compare(pendingB.Since)
		switch {
		case delayedA && delayedB:
			return age
		case delayedA:
			return -1
		case delayedB:
			return 1
		}
		return cmp.Or(cmp.Compare(urgencyA, urgencyB), age)
	})
}
