package controlplane

import "time"

// heartbeat logs every 15 s until stop is called, so that nobody takes a long build for a hang.
func heartbeat(log Log, what string) (stop func()) {
	start := time.Now()
	ticker := time.NewTicker(15 * time.Second)
	quit, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-ticker.C:
				log("%s: %s so far, about 10 minutes in all, once", what, time.Since(start).Round(time.Second))
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
