package breaker

import (
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func at(seconds float64) time.Time { return noon.Add(time.Duration(seconds * float64(time.Second))) }

func TestAFewFailuresDoNotOpenTheCircuit(t *testing.T) {
	var c Circuit
	for i := range tolerated {
		if wait := c.Fail(at(1), Failure{Began: at(0)}, 0.5); wait != 0 || !c.Closed() {
			t.Fatalf("failure %d opens the circuit for %s", i+1, wait)
		}
	}
	c.Succeed(at(1))
	for range tolerated { // the count starts again
		if wait := c.Fail(at(3), Failure{Began: at(2)}, 0.5); wait != 0 {
			t.Fatalf("got a wait of %s after a success in between", wait)
		}
	}
	if wait := c.Fail(at(5), Failure{Began: at(4)}, 0.5); wait != 4*time.Second || c.Admit(at(5), 0) == 0 {
		t.Errorf("the third failure in a row: got a wait of %s, want 4s and no request admitted", wait)
	}
}

func TestACertainFailureOpensAtOnce(t *testing.T) {
	tests := []struct {
		name    string
		failure Failure
		want    time.Duration
	}{
		{"a host that throttles", Failure{Certain: true}, time.Second},
		{"a host that sends Retry-After", Failure{RetryAfter: 40 * time.Second}, 42 * time.Second},
		{"for longer than the SDK would accept", Failure{Certain: true, RetryAfter: 10 * time.Minute}, 630 * time.Second},
		{"for a day, of which an hour counts", Failure{Certain: true, RetryAfter: 24 * time.Hour}, 63 * time.Minute},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var c Circuit
			test.failure.Began = at(0)
			if got := c.Fail(at(0), test.failure, 0.5); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestOneRequestProbesAndTheOthersAreSpread(t *testing.T) {
	var c Circuit
	_ = c.Fail(at(0), Failure{Began: at(0), Certain: true}, 0.5) // open for a second
	if wait := c.Admit(at(0.5), 0.75); wait != 3500*time.Millisecond {
		t.Errorf("got %s, want the rest of the second and then three quarters of four", wait)
	}
	if wait := c.Admit(at(1), 0); wait != 0 {
		t.Fatalf("the first one after the wait is refused for %s", wait)
	}
	if wait := c.Admit(at(1), 0.9); wait != 3600*time.Millisecond {
		t.Errorf("got %s for the next one, want 3.6s", wait)
	}
	c.Release(at(1)) // it was not sent after all
	if wait := c.Admit(at(1.1), 0); wait != 0 {
		t.Fatalf("no other request probes: refused for %s", wait)
	}
	if wait := c.Fail(at(2), Failure{Began: at(1.1)}, 0.5); wait != 2*time.Second {
		t.Errorf("got %s after a failed probe, want 2s", wait)
	}
	if c.Admit(at(4), 0) != 0 {
		t.Error("no request probes a second time")
	}
	c.Succeed(at(4))
	for range 3 {
		if c.Admit(at(4), 0) != 0 {
			t.Error("the circuit is not closed")
		}
	}
}

// All callers got the same time. Their retries are spread over as long again, so that they do not come at once.
func TestALongRetryAfterIsFollowedByALongSpread(t *testing.T) {
	var c Circuit
	_ = c.Fail(at(0), Failure{Began: at(0), Certain: true, RetryAfter: 4 * time.Minute}, 0)
	if wait := c.Admit(at(0), 0.5); wait != 6*time.Minute {
		t.Errorf("got %s, want four minutes and half as much again", wait)
	}
	_ = c.Fail(at(0), Failure{Began: at(1), RetryAfter: time.Hour}, 0)
	if wait := c.Admit(at(0), 0.999); wait > 71*time.Minute {
		t.Errorf("got %s, want the hour and ten minutes at most", wait)
	}
}

func TestARequestThatWasUnderWaySaysNothingNew(t *testing.T) {
	var c Circuit
	first := c.Fail(at(1), Failure{Began: at(0), Certain: true}, 0.5)
	for range 9 {
		if wait := c.Fail(at(1), Failure{Began: at(0), Certain: true}, 0.5); wait != first {
			t.Errorf("got %s, want %s still", wait, first)
		}
	}
	c.Succeed(at(0.5))
	if c.Closed() {
		t.Error("a response to an older request closes it")
	}
	if wait := c.Fail(at(1), Failure{Began: at(0), RetryAfter: time.Minute}, 0.5); wait != time.Minute {
		t.Errorf("got %s, want the longer wait that another response had", wait)
	}
}

func TestARequestThatWasUnderWayDoesNotEndAProbe(t *testing.T) {
	var c Circuit
	_ = c.Fail(at(1), Failure{Began: at(0), Certain: true}, 0)
	if c.Admit(at(5), 0) != 0 {
		t.Fatal("no request probes")
	}
	c.Release(at(0.5)) // one that began before, and says nothing
	if c.Admit(at(5), 0) == 0 {
		t.Error("two requests probe at once")
	}
}

func TestTheWaitDoublesUpToFiveMinutes(t *testing.T) {
	var c Circuit
	now := noon
	for i := range 20 {
		wait := c.Fail(now, Failure{Began: now, Certain: true}, 0.999)
		if limit := min(2*time.Second<<i, longest); wait > limit || wait < limit*99/100 {
			t.Fatalf("failure %d: got %s, want almost %s", i+1, wait, limit)
		}
		now = now.Add(wait)
		if c.Admit(now, 0) != 0 {
			t.Fatal("no request probes")
		}
	}
}

// Each attempt with a wrong secret counts towards a lock-out, on every node.
func TestARefusalIsRetriedAfterThirtySecondsAndTwiceAsLongEachTime(t *testing.T) {
	var c Circuit
	now := at(0)
	for _, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 5 * time.Minute, 5 * time.Minute} {
		if wait := c.Admit(now, 0.9); wait != 0 {
			t.Fatalf("the probe has to wait for %s", wait)
		}
		if got := c.Fail(now, Failure{Began: now, Refused: true}, 0); got != want || c.Closed() {
			t.Errorf("got a wait of %s, want %s", got, want)
		}
		if wait := c.Admit(now.Add(want-time.Second), 0); wait <= 0 {
			t.Errorf("a request is admitted before %s are over", want)
		}
		now = now.Add(want)
	}
	_ = c.Admit(now, 0)
	c.Succeed(now)
	if got := c.Fail(now, Failure{Began: now, Refused: true}, 0.5); got != 31500*time.Millisecond {
		t.Errorf("after a success: got %s, want 30 s and half a tenth", got)
	}
}
