package engine

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/keyvault/breaker"
)

// fleet are agents with the same certificates of one vault, without a network and with a clock that jumps from one event to
// the next. What they do is decided by the agent's own functions.
type fleet struct {
	agents       []simulated
	certificates []*v1alpha1.ObservedCertificate
	random       *rand.Rand
	agenda       agenda
	now          time.Time
	requests     map[int]int // by ten seconds since noon
	started      time.Time   // of the agents
	alive        time.Time   // when their predecessors last reported that they run
	polls        map[[2]int]int
	answer       func(time.Time) *keyvault.Failure
}

// simulated is one agent.
type simulated struct {
	name    string
	vault   breaker.Circuit
	records []record
}

// visit is the next look of an agent at a certificate.
type visit struct {
	at                 time.Time
	agent, certificate int
}

// agenda is a heap of visits.
type agenda []visit

func (e agenda) Len() int           { return len(e) }
func (e agenda) Less(i, j int) bool { return e[i].at.Before(e[j].at) }
func (e agenda) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *agenda) Push(x any)        { *e = append(*e, x.(visit)) }
func (e *agenda) Pop() any {
	last := (*e)[len(*e)-1]
	*e = (*e)[:len(*e)-1]
	return last
}

const simulatedInterval = time.Hour

// newFleet returns agents that have everything installed, at noon.
func newFleet(agents, certificates int) *fleet {
	f := &fleet{agents: make([]simulated, agents), random: rand.New(rand.NewPCG(1, 2)), now: noon, requests: map[int]int{}, started: noon, polls: map[[2]int]int{}}
	for i := range certificates {
		certificate := observed(fmt.Sprintf("c%d", i))
		certificate.Spec.PollingIntervalInS = int32(simulatedInterval / time.Second)
		f.certificates = append(f.certificates, certificate)
	}
	for a := range f.agents {
		agent := &f.agents[a]
		agent.name = fmt.Sprintf("akswin%06d", a)
		for w, certificate := range f.certificates {
			agent.records = append(agent.records, record{poll: pollRecord{generation: 1}, place: place{thumbprint: "AA"}, entry: v1alpha1.CertificateEntry{
				Name: certificate.Name, Generation: 1, Thumbprint: "AA", State: v1alpha1.StateInstalled}})
			heap.Push(&f.agenda, visit{noon, a, w})
		}
	}
	return f
}

// runTo lets everything happen until a time.
func (f *fleet) runTo(end time.Time) {
	for f.agenda[0].at.Before(end) {
		next := heap.Pop(&f.agenda).(visit)
		f.now = next.at
		next.at = f.look(next)
		heap.Push(&f.agenda, next)
	}
	f.now = end
}

// look is one look at a certificate; it returns when the next one is.
func (f *fleet) look(now visit) time.Time {
	agent, certificate := &f.agents[now.agent], f.certificates[now.certificate]
	before := agent.records[now.certificate]
	url := "https://v.vault.azure.net/secrets/" + certificate.Name
	due := decide(before, situation{certificate: certificate, machine: agent.name, source: url, has: installed{inPlace: true}, now: f.now, started: f.started, lastAlive: f.alive})
	if !due.poll {
		return due.again
	}
	f.polls[[2]int{now.agent, now.certificate}]++
	out := outcome{task: task{certificate: certificate, before: before}, observation: observation{entry: before.entry}, source: url, poll: pollResult{made: true}, err: f.ask(&agent.vault)}
	after := remember(out, f.now, f.random.Float64())
	if out.err == nil {
		after.entry.State = v1alpha1.StateInstalled
	}
	agent.records[now.certificate] = after
	return next(agent.name, out, after)
}

// ask asks the vault, if its turn has come on this node.
func (f *fleet) ask(vault *breaker.Circuit) error {
	failure := &keyvault.Failure{Reason: v1alpha1.ReasonThrottled}
	if failure.RetryAfter = vault.Admit(f.now, f.random.Float64()); failure.RetryAfter > 0 {
		return failure
	}
	f.requests[int(f.now.Sub(noon)/(10*time.Second))]++
	told := f.answer(f.now)
	if told == nil {
		vault.Succeed(f.now)
		return nil
	}
	vault.Fail(f.now, breaker.Failure{Began: f.now, RetryAfter: told.RetryAfter, Certain: told.Reason == v1alpha1.ReasonThrottled}, f.random.Float64())
	return told
}

// between returns how many requests there were in ten seconds, on average and at most.
func (f *fleet) between(from, to time.Time) (mean float64, peak int) {
	first, last := int(from.Sub(noon)/(10*time.Second)), int(to.Sub(noon)/(10*time.Second))
	total := 0
	for i := first; i < last; i++ {
		total += f.requests[i]
		peak = max(peak, f.requests[i])
	}
	return float64(total) / float64(last-first), peak
}

// failing returns how many certificates are in a failure.
func (f *fleet) failing() (count int) {
	for i := range f.agents {
		for _, one := range f.agents[i].records {
			if one.poll.attempt > 0 {
				count++
			}
		}
	}
	return count
}

// restart restarts all agents at the same moment after a time, which is the worst case of a DaemonSet roll-out. What they
// remember is what their predecessors reported.
func (f *fleet) restart(absence time.Duration) {
	f.alive, f.now = f.now, f.now.Add(absence)
	f.started, f.agenda, f.polls = f.now, nil, map[[2]int]int{}
	for a := range f.agents {
		for w, certificate := range f.certificates {
			f.agents[a].records[w] = record{poll: pollRecord{generation: 1}, place: place{thumbprint: "AA"}, entry: v1alpha1.CertificateEntry{
				Name: certificate.Name, Generation: 1, Thumbprint: "AA", State: v1alpha1.StateInstalled}}
			heap.Push(&f.agenda, visit{f.now, a, w})
		}
	}
}

// each reports whether every certificate was polled once on every node.
func (f *fleet) each(t *testing.T, once int) {
	t.Helper()
	wrong := 0
	for a := range f.agents {
		for w := range f.certificates {
			if f.polls[[2]int{a, w}] != once {
				wrong++
			}
		}
	}
	if wrong > 0 {
		t.Errorf("%d of %d certificates on nodes were not polled %d times", wrong, len(f.agents)*len(f.certificates), once)
	}
}

// An hour of 1,000 nodes: each certificate is polled once on each, and the vault sees them evenly.
func TestAFleetPollsEvenly(t *testing.T) {
	f := newFleet(1000, 50)
	f.answer = func(time.Time) *keyvault.Failure { return nil }
	f.runTo(noon.Add(time.Hour)) // every agent has polled once, so the next hour is an ordinary one
	f.polls = map[[2]int]int{}
	f.runTo(noon.Add(2 * time.Hour))
	f.each(t, 1)
	mean, peak := f.between(noon.Add(time.Hour), noon.Add(2*time.Hour))
	t.Logf("50,000 certificates on nodes in an hour: %.0f requests in 10 s, at most %d", mean, peak)
	if float64(peak) > 1.5*mean {
		t.Errorf("%d requests in 10 s, want at most 1.5 times the average of %.0f", peak, mean)
	}
}

// All agents start at the same moment. What is in place is not polled for that, and a slot that passed is made up for.
func TestARollOutOfTheAgentsCausesNoBurst(t *testing.T) {
	const absence = 5 * time.Minute
	f := newFleet(1000, 50)
	f.answer = func(time.Time) *keyvault.Failure { return nil }
	f.runTo(noon.Add(time.Hour))
	steady, _ := f.between(noon.Add(30*time.Minute), noon.Add(time.Hour))
	f.restart(absence)
	f.runTo(f.started.Add(10 * time.Second))
	made, _ := f.between(f.started, f.started.Add(10*time.Second))
	missed := steady * float64(absence/(10*time.Second))
	t.Logf("%.0f requests in 10 s before; in the 10 s after all agents were away for %s: %.0f, of which %.0f make up for slots that passed", steady, absence, made, missed)
	if made < missed || made > 1.1*missed+2*steady {
		t.Errorf("%.0f requests after the restart, want those of the %.0f slots that passed and an ordinary ten seconds' besides", made, missed)
	}
	f.runTo(f.started.Add(time.Hour))
	_, peak := f.between(f.started.Add(10*time.Second), f.started.Add(time.Hour))
	if float64(peak) > 1.5*steady {
		t.Errorf("%d requests in 10 s later, want at most 1.5 times the %.0f of before", peak, steady)
	}
}

// A vault that throttles everyone for ten minutes is asked less meanwhile, and no second wave meets it when it recovers.
func TestAFleetDoesNotStormAVaultThatRecovers(t *testing.T) {
	const agents = 1000
	outage, recovery := noon.Add(2*time.Hour), noon.Add(2*time.Hour+10*time.Minute)
	tests := []struct {
		name         string
		certificates int
		told         keyvault.Failure
	}{
		{"throttled, 10 certificates", 10, keyvault.Failure{Reason: v1alpha1.ReasonThrottled}},
		{"throttled, 50 certificates", 50, keyvault.Failure{Reason: v1alpha1.ReasonThrottled}},
		{"throttled with Retry-After: 10", 50, keyvault.Failure{Reason: v1alpha1.ReasonThrottled, RetryAfter: 10 * time.Second}},
		{"throttled with Retry-After: 600", 50, keyvault.Failure{Reason: v1alpha1.ReasonThrottled, RetryAfter: 10 * time.Minute}},
		{"out of service", 50, keyvault.Failure{Reason: v1alpha1.ReasonVaultUnreachable}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFleet(agents, test.certificates)
			f.answer = func(now time.Time) *keyvault.Failure {
				if now.Before(outage) || !now.Before(recovery) {
					return nil
				}
				told := test.told
				return &told
			}
			f.runTo(outage)
			steady, steadyPeak := f.between(noon.Add(time.Hour), outage)
			f.runTo(recovery)
			during, duringPeak := f.between(outage, recovery)
			late, _ := f.between(outage.Add(5*time.Minute), recovery)
			failed := f.failing()
			right := time.Duration(0)
			for f.failing() > 0 && right < 2*simulatedInterval {
				right += 10 * time.Second
				f.runTo(recovery.Add(right))
			}
			f.runTo(recovery.Add(simulatedInterval))
			after, peak := f.between(recovery, recovery.Add(simulatedInterval))
			_, latePeak := f.between(recovery.Add(simulatedInterval/2), recovery.Add(simulatedInterval))
			t.Logf("requests in 10 s: steady %.0f (peak %d); during the outage %.0f (peak %d), in its second half %.0f; after it %.0f (peak %d, in the hour's second half %d); %d certificates had failed, all were right after %s",
				steady, steadyPeak, during, duringPeak, late, after, peak, latePeak, failed, right)
			if failed < agents {
				t.Fatalf("%d certificates had failed, so this shows nothing", failed)
			}
			if limit := agents / 10.0; late > limit { // each agent makes one request in 100 s, however many are due
				t.Errorf("the vault that is ill gets %.0f requests in 10 s, want at most %.0f", late, limit)
			}
			if limit := 3 * steady; float64(peak) > limit {
				t.Errorf("the vault that recovered gets %d requests in 10 s at most, want at most %.0f, three times as many as ever", peak, limit)
			}
			if limit := steadyPeak * 5 / 4; latePeak > limit {
				t.Errorf("a second wave: %d requests in 10 s half an hour later, want at most %d", latePeak, limit)
			}
			if right > simulatedInterval {
				t.Errorf("all certificates are right after %s, want one interval", right)
			}
		})
	}
}
