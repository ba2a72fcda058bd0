package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

// memoryAndQuiet measures resident memory with 5 and with 100 certificates, and the requests and writes of an idle agent.
func (b *bench) memoryAndQuiet(ctx context.Context, quiet time.Duration) error {
	if _, err := b.vault.PutMany("memory", 100, keyvault.CertificateOptions{WithChain: true}); err != nil {
		return err
	}
	if err := b.newMachine(ctx, node.Native); err != nil {
		return err
	}
	if err := b.startAgent(); err != nil {
		return err
	}
	from := 0
	for _, count := range []int{5, 100} {
		if err := b.observe(node.Native, "memory", from, count, time.Hour); err != nil {
			return err
		}
		from = count
		if err := b.reported(ctx, count); err != nil {
			return err
		}
		resident, err := b.agent.ResidentBytes()
		if err != nil {
			return err
		}
		megabytes := float64(resident) / (1 << 20)
		b.add(fmt.Sprintf("resident memory with %d certificates", count), fmt.Sprintf("%.0f MB", megabytes), "≤ 64 MB", megabytes <= 64)
	}
	if err := b.quiet(ctx, quiet); err != nil {
		return err
	}
	_, err := b.kubectl("", "delete", "observedcertificates", "--all", "--wait=false")
	return err
}

// quiet waits with 100 certificates installed and counts. Slots are an hour apart, so at most one or two fall into it; they
// are polls that are due, so the goal speaks of the rest.
func (b *bench) quiet(ctx context.Context, length time.Duration) error {
	before, err := b.writes()
	if err != nil {
		return err
	}
	b.vault.ResetStats()
	cpu, err := b.agent.ProcessorTime()
	if err != nil {
		return err
	}
	fmt.Printf("bench: watching a quiet agent for %s\n", length)
	if err := pause(ctx, length); err != nil {
		return err
	}
	after, err := b.writes()
	if err != nil {
		return err
	}
	cpuAfter, err := b.agent.ProcessorTime()
	if err != nil {
		return err
	}
	due := int(100*length/time.Hour) + 3 // slots that fall into the time by chance: 1.7 a minute on average
	requests := b.vault.Stats().Requests
	b.add(fmt.Sprintf("Key Vault requests in a quiet %s, 100 certificates at 3600 s", length), fmt.Sprint(requests), fmt.Sprintf("≤ %d slots", due), requests <= due)
	b.add(fmt.Sprintf("API writes in a quiet %s but the Lease", length), fmt.Sprint(after-before), "0", after == before)
	busy := 100 * float64(cpuAfter-cpu) / float64(length)
	b.add("processor time of a quiet agent, 100 certificates", fmt.Sprintf("%.2f %% of a core", busy), "≤ 0.1 %", busy <= 0.1)
	return nil
}

// coldSync installs a number of certificates into an empty store, by the agent and by the bare loop in turn.
func (b *bench) coldSync(ctx context.Context, kind node.Kind, count, rounds int) error {
	fmt.Printf("bench: cold sync of %d certificates, %s, %d rounds\n", count, kind, rounds)
	prefix := string(kind)
	if _, err := b.vault.PutMany(prefix, count, keyvault.CertificateOptions{}); err != nil {
		return err
	}
	if err := b.observe(kind, prefix, 0, count, time.Hour); err != nil {
		return err
	}
	var ratios []float64
	for round := range rounds {
		bare, err := b.bareLoop(ctx, kind, prefix, count)
		if err != nil {
			return err
		}
		agent, err := b.agentSync(ctx, kind, count, round == 0)
		if err != nil {
			return err
		}
		fmt.Printf("bench: round %d: agent %s, bare loop %s, ratio %.2f\n", round+1, agent, bare, agent.Seconds()/bare.Seconds())
		ratios = append(ratios, agent.Seconds()/bare.Seconds())
	}
	ratio := median(ratios)
	b.add(fmt.Sprintf("cold sync of %d certificates, %s, against a bare loop", count, kind), fmt.Sprintf("%.2f ×", ratio), "≤ 1.1 ×", ratio <= 1.1)
	_, err := b.kubectl("", "delete", "observedcertificates", "--all", "--wait=false")
	return err
}

func (b *bench) bareLoop(ctx context.Context, kind node.Kind, prefix string, count int) (time.Duration, error) {
	if err := b.newMachine(ctx, kind); err != nil {
		return 0, err
	}
	var urls strings.Builder
	for i := range count {
		fmt.Fprintln(&urls, b.vault.SecretURL(fmt.Sprintf("%s-%04d", prefix, i)))
	}
	list := filepath.Join(b.dir, "urls")
	if err := os.WriteFile(list, []byte(urls.String()), 0o600); err != nil {
		return 0, err
	}
	output, err := b.machine.Run(ctx, "bareloop", append(b.environment(),
		"BARELOOP_WORKERS="+workers, "BARELOOP_URLS="+b.machine.Path(list), "BARELOOP_PROVIDER="+provider(kind)))
	if err != nil {
		return 0, err
	}
	milliseconds, err := strconv.Atoi(output)
	return time.Duration(milliseconds) * time.Millisecond, err
}

// agentSync returns the time from the agent's being at work to its last installation. The first round counts too.
func (b *bench) agentSync(ctx context.Context, kind node.Kind, count int, counted bool) (time.Duration, error) {
	if err := b.newMachine(ctx, kind); err != nil {
		return 0, err
	}
	writes, err := b.writes()
	if err != nil {
		return 0, err
	}
	b.vault.ResetStats()
	if err := b.startAgent(); err != nil {
		return 0, err
	}
	if err := b.reported(ctx, count); err != nil {
		return 0, err
	}
	if counted {
		after, err := b.writes()
		if err != nil {
			return 0, err
		}
		stats := b.vault.Stats()
		b.add(fmt.Sprintf("Key Vault requests for %d certificates, %s", count, kind), fmt.Sprint(stats.Requests), fmt.Sprint(count), stats.Requests == count)
		b.add(fmt.Sprintf("401 answers and connections, %s", kind), fmt.Sprintf("%d and %d", stats.Unauthorized, stats.Connections), "1 and 1", stats.Unauthorized <= 1 && stats.Connections <= 1)
		b.add(fmt.Sprintf("API writes for the cold sync, %s", kind), fmt.Sprint(after-writes), "≤ 2", after-writes <= 2)
	}
	return b.worked()
}

var logTime = regexp.MustCompile(`time=(\S+) .*msg=("Installed the certificate"|"Agent ready")`)

// worked reads from the agent's log how long it worked.
func (b *bench) worked() (time.Duration, error) {
	log, err := os.ReadFile(b.log())
	if err != nil {
		return 0, err
	}
	var first, last time.Time
	for line := range strings.Lines(string(log)) {
		found := logTime.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, found[1])
		if err != nil {
			return 0, fmt.Errorf("reading the agent's log: %w", err)
		}
		if found[2] == `"Agent ready"` {
			first = at
		}
		last = at
	}
	if first.IsZero() || !last.After(first) {
		return 0, errors.New("the agent's log does not say when it worked")
	}
	return last.Sub(first), nil
}
