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

// span is a cold sync: the time to the first installation, and from there to the last.
type span struct{ start, rest time.Duration }

func (s span) String() string {
	return fmt.Sprintf("%.2f s and %.2f s", s.start.Seconds(), s.rest.Seconds())
}

func measureCold(ctx context.Context, s scale, t *table) error {
	b, err := newBench(ctx, t)
	defer b.close()
	if err != nil {
		return err
	}
	for _, count := range []int{s.certificates, 5 * s.certificates} {
		if err := b.coldSync(ctx, node.Native, count, s.rounds); err != nil {
			return err
		}
	}
	if s.wineCertificates == 0 {
		return nil
	}
	return b.coldSync(ctx, node.Wine, s.wineCertificates, s.wineRounds)
}

// coldSync installs a number of certificates into an empty store, by the agent and by the bare loop in turn. The fixed start is told
// apart from the rate: it does not grow with the certificates.
func (b *bench) coldSync(ctx context.Context, kind node.Kind, count, rounds int) error {
	fmt.Printf("bench: cold sync of %d certificates, %s, %d rounds\n", count, kind, rounds)
	prefix := fmt.Sprintf("%s%d", kind, count)
	if _, err := b.vault.PutMany(prefix, count, keyvault.CertificateOptions{}); err != nil {
		return err
	}
	if err := b.observe(kind, prefix, 0, count, time.Hour); err != nil {
		return err
	}
	var rates, starts, wholes []float64
	for round := range rounds {
		bare, err := b.bareLoop(ctx, kind, prefix, count)
		if err != nil {
			return err
		}
		agent, err := b.agentSync(ctx, kind, count, round == 0)
		if err != nil {
			return err
		}
		rates = append(rates, agent.rest.Seconds()/bare.rest.Seconds())
		starts = append(starts, (agent.start - bare.start).Seconds())
		wholes = append(wholes, (agent.start+agent.rest).Seconds()/(bare.start+bare.rest).Seconds())
		fmt.Printf("bench: round %d: agent %s, bare loop %s, ratio %.2f\n", round+1, agent, bare, rates[round])
	}
	rate, start := median(rates), median(starts)
	what := fmt.Sprintf("cold sync of %d certificates, %s, ", count, kind)
	b.AtMost(what+"from the first to the last, against a bare loop", fmt.Sprintf("%.2f × %s", rate, all(rates)), "≤ 1.03 ×", rate, 1.03)
	b.AtMost(what+"from the start to the first, beyond a bare loop", fmt.Sprintf("%.2f s %s", start, all(starts)), "≤ 0.1 s", start, 0.1)
	b.Note(what+"as a whole, against a bare loop", fmt.Sprintf("%.2f ×", median(wholes)))
	_, err := b.kubectl("", "delete", "observedcertificates", "--all", "--wait=false")
	return err
}

// all lists the values of all rounds.
func all(values []float64) string {
	var texts []string
	for _, value := range values {
		texts = append(texts, strconv.FormatFloat(value, 'f', 2, 64))
	}
	return "(" + strings.Join(texts, ", ") + ")"
}

func (b *bench) bareLoop(ctx context.Context, kind node.Kind, prefix string, count int) (span, error) {
	if err := b.newMachine(ctx, kind); err != nil {
		return span{}, err
	}
	var urls strings.Builder
	for i := range count {
		fmt.Fprintln(&urls, b.vault.SecretURL(fmt.Sprintf("%s-%04d", prefix, i)))
	}
	list := filepath.Join(b.dir, "urls")
	if err := os.WriteFile(list, []byte(urls.String()), 0o600); err != nil {
		return span{}, err
	}
	output, err := b.machine.Run(ctx, "bareloop", append(b.environment(),
		"BARELOOP_WORKERS="+workers, "BARELOOP_URLS="+b.machine.Path(list), "BARELOOP_PROVIDER="+provider(kind)))
	if err != nil {
		return span{}, err
	}
	var first, last int
	if _, err := fmt.Sscan(output, &first, &last); err != nil {
		return span{}, fmt.Errorf("reading the bare loop's times from %q: %w", output, err)
	}
	return span{time.Duration(first) * time.Millisecond, time.Duration(last-first) * time.Millisecond}, nil
}

// agentSync returns the times from when the agent is ready to its first and last installation. The first round counts too.
func (b *bench) agentSync(ctx context.Context, kind node.Kind, count int, counted bool) (span, error) {
	if err := b.newMachine(ctx, kind); err != nil {
		return span{}, err
	}
	writes, err := b.writes()
	if err != nil {
		return span{}, err
	}
	b.vault.ResetStats()
	// The bare loop has no limit of requests either: with the agent's, 5,000 certificates take 40 s, 1,000 at once and then 100 a second.
	if err := b.startAgent("VAULTPANE_VAULT_REQUESTS_PER_SECOND=0"); err != nil {
		return span{}, err
	}
	if err := b.reported(ctx, count); err != nil {
		return span{}, err
	}
	if counted {
		after, err := b.writes()
		if err != nil {
			return span{}, err
		}
		stats := b.vault.Stats()
		b.Add(fmt.Sprintf("Key Vault requests for %d certificates, %s", count, kind), fmt.Sprint(stats.Requests), fmt.Sprint(count), stats.Requests == count)
		b.Add(fmt.Sprintf("401 answers and connections, %s", kind), fmt.Sprintf("%d and %d", stats.Unauthorized, stats.Connections), "1 and 1", stats.Unauthorized <= 1 && stats.Connections <= 1)
		b.Add(fmt.Sprintf("API writes for the cold sync, %s", kind), fmt.Sprint(after-writes), "≤ 2", after-writes <= 2)
	}
	return b.worked()
}

var logTime = regexp.MustCompile(`time=(\S+) .*msg=("Installed the certificate"|"Agent ready")`)

// worked reads from the agent's log how long it worked.
func (b *bench) worked() (span, error) {
	log, err := os.ReadFile(b.log())
	if err != nil {
		return span{}, err
	}
	var ready, first, last time.Time
	for line := range strings.Lines(string(log)) {
		found := logTime.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		at, err := time.Parse(time.RFC3339Nano, found[1])
		if err != nil {
			return span{}, fmt.Errorf("reading the agent's log: %w", err)
		}
		switch {
		case found[2] == `"Agent ready"`:
			ready = at
		case first.IsZero():
			first = at
		}
		last = at
	}
	if ready.IsZero() || !last.After(first) {
		return span{}, errors.New("the agent's log does not say when it worked")
	}
	return span{first.Sub(ready), last.Sub(first)}, nil
}
