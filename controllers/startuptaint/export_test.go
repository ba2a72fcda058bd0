package startuptaint

import "time"

// What tests from outside need beside SetupWithManager.
var (
	Prepare          = (*Reconciler).prepare
	RemoveAllInPages = removeAll
)

// MostTold is how many events about waiting the budget allows in a time.
func MostTold(took time.Duration) int { return tellBurst + tellPerSecond*(1+int(took.Seconds())) }
