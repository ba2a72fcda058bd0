package e2emachine

import (
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/internal/schedule"
	"github.com/vaultpane/vaultpane/internal/standalone"
)

func TestTheSecondAgentWaitsForTheFirst(t *testing.T) {
	h := newHost(t)
	first := put(t, "two-agents")
	h.write(t, "a.yaml", simple(t, "two-agents"))
	h.start(t)
	h.holds(t, "two-agents", first)
	leader := h.agent
	defer leader.Kill()
	h.agent = nil
	h.start(t)
	h.logged(t, "another agent uses this machine")
	second := rotate(t, "two-agents")
	h.poll(t, 0)
	h.stillHolds(t, "two-agents", first, second)
	if got := requests("two-agents"); got != 2 || !leader.Running() || !h.agent.Running() {
		t.Errorf("the vault had %d requests, want 2 of the first agent; they run: %v, %v", got, leader.Running(), h.agent.Running())
	}
	leader.Kill()
	h.logged(t, "Locked this machine's store")
	third := rotate(t, "two-agents")
	eventually(t, "the second agent polls", func() (bool, error) { return h.tool(t, "poll").code == 0, nil })
	h.holds(t, "two-agents", first, second, third)
}

func TestARestartPollsNothingAgain(t *testing.T) {
	h := newHost(t)
	first := put(t, "restarted")
	h.write(t, "a.yaml", simple(t, "restarted"))
	h.start(t)
	h.status(t, 0, first)
	h.start(t)
	second := put(t, "new-one") // which shows that the second agent is at work
	h.write(t, "b.yaml", simple(t, "new-one"))
	h.status(t, 0, first, second)
	if got := requests("restarted"); got != 1 {
		t.Errorf("the vault had %d requests, want 1", got)
	}
}

func TestAMissedSlotIsPolledAtTheStart(t *testing.T) {
	const interval = 30 // seconds, the shortest
	h := newHost(t)
	first := put(t, "missed")
	h.write(t, "a.yaml", manifest(wish{name: "missed", interval: interval}))
	h.start(t)
	h.status(t, 0, first)
	h.agent.Kill()
	state, err := standalone.ReadState(h.state())
	if err != nil {
		t.Fatal(err)
	}
	before := requests("missed")
	second := rotate(t, "missed")
	slot := schedule.Slot(hostName, env.shop.SecretURL("missed"), interval*time.Second, standalone.RenewedAt(state))
	eventually(t, "the slot has passed", func() (bool, error) { return time.Now().After(slot), nil })
	started := time.Now()
	h.start(t)
	h.holds(t, "missed", first, second)
	next := schedule.Slot(hostName, env.shop.SecretURL("missed"), interval*time.Second, started)
	if got := requests("missed") - before; got != 1 || time.Now().After(next) {
		t.Errorf("the vault had %d requests; the next slot was at %s", got, next)
	}
}
