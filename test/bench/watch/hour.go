package watch

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// countHour counts the requests and writes of a compressed hour in which nothing changes.
func (s *site) countHour(ctx context.Context, mode string) error {
	s.say("counting for %s, %s", s.Interval, mode)
	for _, vault := range []string{agentVault, nodeVault, leaderVault} {
		s.vaults.Vault(vault).ResetStats()
	}
	during, err := s.usageOf(ctx, s.Interval)
	if err != nil {
		return err
	}
	stats := s.vault().Stats()
	var counts []int
	reached := true
	for _, size := range s.counted() {
		count, most := stats.BySecret[strings.ToLower(idleName(size))], size
		if mode != modePolling {
			count, most = s.watchHour(count), int(time.Hour/realInterval)
		}
		counts = append(counts, count)
		reached = reached && float64(count) <= 1.1*float64(most) // an edge of the time can cut a slot off or in
	}
	goal := "≤ 1 a node"
	if mode != modePolling {
		goal = "≤ 1 a minute, on any number of nodes"
	}
	s.Add(fmt.Sprintf("Key Vault requests an hour for one certificate on %s nodes, %s", list(s.counted()), mode), list(counts), goal, reached)
	s.Curve(requestsPlot, mode, s.counted(), floats(counts)...)
	writes := map[string]int{states: during.writes[states], certificates: during.writes[certificates], "events": during.writes["events"]}
	total, listed := others(writes)
	s.Add(fmt.Sprintf("API writes in %s, %d nodes, except Leases, %s", s.Interval, s.Nodes, mode), listed, "0", total == 0)
	if s.Idle < enoughIdle {
		return nil
	}
	busy := during.processor - time.Duration(float64(s.idle.processor)*float64(s.Interval)/float64(s.Idle))
	s.Note(fmt.Sprintf("processor time of the API server beyond that without agents, idle, %s", mode),
		fmt.Sprintf("%.3f %% of a core a node, %.0f %% for %d nodes, %.0f %% at 5,000 (× 5,000 / %d)",
			percent(busy, s.Interval)/float64(s.Nodes), percent(busy, s.Interval), s.Nodes, percent(busy, s.Interval)*5000/float64(s.Nodes), s.Nodes))
	return nil
}

// enoughIdle is how long the API server's own work must be measured to be subtracted: it comes in bursts.
const enoughIdle = 10 * time.Second

// watchHour scales the lists that were counted to an hour at the real interval.
func (s *site) watchHour(count int) int {
	intervals := float64(s.Interval) / float64(watchInterval)
	return int(float64(count)/intervals*float64(time.Hour/realInterval) + 0.5)
}

func floats(numbers []int) (all []float64) {
	for _, number := range numbers {
		all = append(all, float64(number))
	}
	return all
}

func percent(busy, length time.Duration) float64 { return 100 * float64(busy) / float64(length) }

// list writes numbers as a list, as in "1, 10, 1,000".
func list(numbers []int) string {
	var texts []string
	for _, number := range numbers {
		text := fmt.Sprint(number)
		if number >= 1000 {
			text = fmt.Sprintf("%d,%03d", number/1000, number%1000)
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, " / ")
}
