package main

import (
	"context"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

// Four hours, compressed: the shortest interval that the API takes stands for an hour.
const (
	shortInterval = 30 * time.Second
	intervals     = 4
	polled        = 20
)

// requestsPerInterval counts at the vault what a real agent asks in four polling intervals in which nothing changes. The first
// interval passes uncounted: a slot soon after the first poll is passed over.
func (b *bench) requestsPerInterval(ctx context.Context) error {
	if _, err := b.vault.PutMany("interval", polled, keyvault.CertificateOptions{}); err != nil {
		return err
	}
	if err := b.newMachine(ctx, node.Native); err != nil {
		return err
	}
	if err := b.startAgent(); err != nil {
		return err
	}
	if err := b.observe(node.Native, "interval", 0, polled, shortInterval); err != nil {
		return err
	}
	if err := b.reported(ctx, polled); err != nil {
		return err
	}
	if err := pause(ctx, shortInterval); err != nil {
		return err
	}
	b.vault.ResetStats()
	fmt.Printf("bench: counting requests for %s, %d intervals\n", intervals*shortInterval, intervals)
	if err := pause(ctx, intervals*shortInterval); err != nil {
		return err
	}
	requests := b.vault.Stats().Requests
	rate := float64(requests) / polled / intervals
	b.Add("Key Vault requests per certificate, node and polling interval", fmt.Sprintf("%.2f (%d for %d certificates in %d intervals of %s)", rate, requests, polled, intervals, shortInterval), "≤ 1", rate <= 1)
	_, err := b.kubectl("", "delete", "observedcertificates", "--all", "--wait=false")
	return err
}

func pause(ctx context.Context, length time.Duration) error {
	select {
	case <-time.After(length):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
