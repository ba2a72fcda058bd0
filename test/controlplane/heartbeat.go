package controlplane

import (
	"fmt"
	"time"
)

// heartbeat logs every 15 s until stop is called, so that a long build does not look like a hang.
func heartbeat(log Log, step step, number string) (stop func()) {
	start := time.Now()
	ticker := time.NewTicker(15 * time.Second)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ticker.C:
				log("%s", progress(step, number, time.Since(start)))
			case <-quit:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(quit)
		<-done // a test's log must not be written after its end
	}
}

// progress says how far a step is. How long it takes depends on the machine, so the message names the usual time, and no
// longer once it has passed.
func progress(step step, number string, passed time.Duration) string {
	passed = passed.Round(time.Second)
	if passed < step.usual {
		return fmt.Sprintf("Building %s (%s): %s so far; an idle machine of two cores takes %s for it", step.what, number, passed, step.usual)
	}
	return fmt.Sprintf("Building %s (%s): %s so far; this machine takes longer than the usual %s; the build continues", step.what, number, passed, step.usual)
}
