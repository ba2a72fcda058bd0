package eventgrid

import (
	"fmt"
	"maps"
	"net/http"
	"time"
)

// faults are the faults that are injected.
type faults struct {
	failure    *answer
	failures   int // requests that get it; all if negative
	delay      time.Duration
	drops      map[string]int // responses that are dropped, by operation; all if negative
	ignoreWait bool
}

// fault is what happens to one request.
type fault struct {
	answer *answer
	delay  time.Duration
	drop   bool
}

// begin returns the fault that the next request of an operation meets.
func (s *Server) begin(operation string) fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := fault{delay: s.faults.delay}
	if spend(&s.faults.failures) {
		now.answer = s.faults.failure
	}
	if left := s.faults.drops[operation]; left != 0 {
		now.drop = spend(&left)
		s.faults.drops[operation] = left
	}
	return now
}

// spend reports whether a fault is due, and counts it.
func spend(count *int) bool {
	if *count > 0 {
		*count--
		return true
	}
	return *count < 0
}

func (s *Server) fault(set func(*faults)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	set(&s.faults)
}

// FailWith answers the next count requests with an error, all until Heal if count is negative. The response has Retry-After, in
// seconds rounded up, if retryAfter is positive.
func (s *Server) FailWith(status int, code, message string, retryAfter time.Duration, count int) {
	result := failure(status, code, message)
	if retryAfter > 0 {
		result.with("Retry-After", fmt.Sprint(int((retryAfter+time.Second-1)/time.Second)))
	}
	s.fault(func(f *faults) { f.failure, f.failures = result, count })
}

// Challenge answers all requests with 401 and a challenge until Heal.
func (s *Server) Challenge(challenge string) {
	result := failure(http.StatusUnauthorized, "Unauthorized", "Error authenticating.").with("WWW-Authenticate", challenge)
	s.fault(func(f *faults) { f.failure, f.failures = result, -1 })
}

// HTMLPage answers all requests with an HTML page until Heal, as a sign-in page of the network would.
func (s *Server) HTMLPage() {
	page := &answer{status: http.StatusOK, header: map[string]string{"Content-Type": "text/html; charset=utf-8"},
		body: []byte("<!DOCTYPE html>\n<html><body>Sign in to this network</body></html>\n")}
	s.fault(func(f *faults) { f.failure, f.failures = page, -1 })
}

// Delay delays each response.
func (s *Server) Delay(d time.Duration) { s.fault(func(f *faults) { f.delay = d }) }

// DropResponses carries out the next count requests of an operation and then closes the connection without a response; all until
// Heal if count is negative.
func (s *Server) DropResponses(operation string, count int) {
	s.fault(func(f *faults) {
		drops := maps.Clone(f.drops)
		if drops == nil {
			drops = map[string]int{}
		}
		drops[operation] = count
		f.drops = drops
	})
}

// ExpireLocks has the locks of all received events expire, as if their duration had passed.
func (s *Server) ExpireLocks() { s.queue.unlock() }

// IgnoreWait answers a receive at once, without waiting for an event.
func (s *Server) IgnoreWait() { s.fault(func(f *faults) { f.ignoreWait = true }) }

func (s *Server) ignoresWait() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.faults.ignoreWait
}

// Deny removes the roles of a client ID until Heal.
func (s *Server) Deny(clientID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.denied[clientID] = true
}

func (s *Server) isDenied(clientID string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.denied[clientID]
}

// DeleteSubscription deletes the event subscription with its events. CreateSubscription creates it again.
func (s *Server) DeleteSubscription() { s.setDeleted(true) }

// CreateSubscription undoes DeleteSubscription. Events that were published in between are lost.
func (s *Server) CreateSubscription() { s.setDeleted(false) }

func (s *Server) setDeleted(deleted bool) {
	s.mu.Lock()
	s.deleted = deleted
	s.mu.Unlock()
	s.queue.clear()
}

func (s *Server) isDeleted() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.deleted
}

// Heal removes all faults. It does not create a deleted subscription.
func (s *Server) Heal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = faults{}
	clear(s.denied)
}
