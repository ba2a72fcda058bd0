package main

import (
	"context"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

// memoryAndQuiet measures resident memory with 5 and with 100 certificates, and the requests and writes of an idle agent.
func (b *bench) memoryAndQuiet(ctx context.Context, quiet time.Duration) error {
	if _, err := b.vault.PutMany("memory", 1000, keyvault.CertificateOptions{WithChain: true}); err != nil {
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
		b.Add(fmt.Sprintf("resident memory with %d certificates", count), fmt.Sprintf("%.0f MB", megabytes), "≤ 64 MB", megabytes <= 64)
	}
	if err := b.quiet(ctx, quiet); err != nil {
		return err
	}
	if err := b.many(ctx, 1000, quiet); err != nil {
		return err
	}
	_, err := b.kubectl("", "delete", "observedcertificates", "--all", "--wait=false")
	return err
}

// many notes what an idle agent takes with many certificates, of which the first hundred are there already.
func (b *bench) many(ctx context.Context, count int, length time.Duration) error {
	if err := b.observe(node.Native, "memory", 100, count, time.Hour); err != nil {
		return err
	}
	if err := b.reported(ctx, count); err != nil {
		return err
	}
	cpu, err := b.agent.ProcessorTime()
	if err != nil {
		return err
	}
	if err := pause(ctx, length); err != nil {
		return err
	}
	after, err := b.agent.ProcessorTime()
	if err != nil {
		return err
	}
	resident, err := b.agent.ResidentBytes()
	if err != nil {
		return err
	}
	b.Note(fmt.Sprintf("resident memory with %d certificates, idle for %s", count, length), fmt.Sprintf("%.0f MB", float64(resident)/(1<<20)))
	b.Note("processor time of the same, with 17 slots a minute", fmt.Sprintf("%.2f %% of a core", 100*float64(after-cpu)/float64(length)))
	return nil
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
	b.Add(fmt.Sprintf("Key Vault requests in a quiet %s, 100 certificates at 3600 s", length), fmt.Sprint(requests), fmt.Sprintf("≤ %d slots", due), requests <= due)
	b.Add(fmt.Sprintf("API writes in a quiet %s but the Lease", length), fmt.Sprint(after-before), "0", after == before)
	busy := 100 * float64(cpuAfter-cpu) / float64(length)
	b.Add("processor time of a quiet agent, 100 certificates", fmt.Sprintf("%.2f %% of a core", busy), "≤ 0.1 %", busy <= 0.1)
	return nil
}
