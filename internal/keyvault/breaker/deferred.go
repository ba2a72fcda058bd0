package breaker

import (
	"fmt"
	"time"
)

// Deferred is returned for a request that was not sent, because the target's bulkhead is full or its budget is used up. It is no
// failure. The caller comes back after the time, and its worker serves other certificates until then.
type Deferred struct {
	// After is the time to wait.
	After time.Duration
}

// Error implements error.
func (d *Deferred) Error() string {
	return fmt.Sprintf("request deferred by the limits of the vault; retry in %s", d.After)
}
