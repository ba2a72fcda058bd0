package eventgrid

import "time"

// State is how a Receiver is doing.
type State struct {
	// LastReceive is the time of the last successful receive, with or without events; zero for none.
	LastReceive time.Time
	// Reason is why the last round failed, and Message what happened and what to do; empty if it succeeded.
	Reason  Reason
	Message string
	// Since is when rounds began to fail for that reason; zero if the last one succeeded.
	Since time.Time
}

// State returns the present state.
func (r *Receiver) State() State {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.state
}

// received records a successful receive.
func (r *Receiver) received(now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.state.LastReceive = now
}

// recovered records a successful round, and reports whether the one before failed, or there was none.
func (r *Receiver) recovered() (changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	changed = r.state.Reason != "" || !r.told
	r.state.Reason, r.state.Message, r.state.Since, r.told = "", "", time.Time{}, true
	return changed
}

// failed records a failed round, and reports whether its cause is another than before.
func (r *Receiver) failed(why failure, now time.Time) (changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.state.Reason != why.reason {
		r.state.Since = now
	}
	changed = r.state.Reason != why.reason || r.state.Message != why.message
	r.state.Reason, r.state.Message, r.told = why.reason, why.message, true
	return changed
}
