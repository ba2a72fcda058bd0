package startuptaint

import "time"

// What external tests need in addition to SetupWithManager.
var (
	Prepare          = (*Reconciler).prepare
	RemoveAllInPages = removeAll
)

// MaxWaitEvents returns how many events about waiting the budget allows in a duration.
func MaxWaitEvents(took time.Duration) int {
	return eventBurst + eventsPerSecond*(1+int(took.Seconds()))
}
