package rollup

import "time"

// others counts, for a certificate that selects no node, the nodes that run the agent, and those that it would select if they
// did.
func (x *index) others(w *wish) (agents, strangers int) {
	for _, n := range x.nodes {
		switch {
		case n.runs:
			agents++
		case w.selector.Matches(n.labels):
			strangers++
		}
	}
	return agents, strangers
}

// agentCount is how many agents watch.
func (x *index) agentCount(now time.Time) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	count := 0
	for _, n := range x.nodes {
		if runs, _ := n.runsAgent(now); runs {
			count++
		}
	}
	return count
}

// agents counts the nodes that run the agent.
type agents struct {
	reporting, silent int
	overdue           time.Duration
	versions          map[string]int // of those that have reported
}

// surveyed is a certificate as its gauges are computed from it.
type surveyed struct {
	wish
	summary
}

// survey returns everything that gauges are computed from, and whether that is complete.
func (x *index) survey(soon time.Duration, now time.Time) (agents, []surveyed, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	found := agents{versions: map[string]int{}}
	for _, n := range x.nodes {
		runs, _ := n.runsAgent(now)
		if n.version != "" && runs {
			found.versions[n.version]++
		}
		alive := n.reported && n.unwritten.IsZero() && now.Before(n.renewed.Add(silentAfter))
		switch {
		case alive:
			found.reporting++
			if !n.overdue.IsZero() {
				found.overdue = max(found.overdue, now.Sub(n.overdue))
			}
		case runs:
			found.silent++
		}
	}
	certificates := make([]surveyed, 0, len(x.certificates))
	for _, c := range x.certificates {
		certificates = append(certificates, surveyed{c.wish, c.summarize(soon, now)})
	}
	return found, certificates, x.complete
}
