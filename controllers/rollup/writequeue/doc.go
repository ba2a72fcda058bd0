// Package writequeue orders the pending status writes of the roll-up: which certificates wait, since when, which of them is
// written next, and how many writes the agents' watches allow. It writes nothing itself.
package writequeue
