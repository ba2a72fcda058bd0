package main

import (
	"context"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/test/node"
)

// wrongSecret counts the requests to the token service in the first minute of an agent whose client secret is wrong. Each attempt
// counts towards a lock-out, and a fleet has thousands of agents.
func (b *bench) wrongSecret(ctx context.Context, count int) error {
	const length = time.Minute
	if err := b.newMachine(ctx, node.Native); err != nil {
		return err
	}
	if err := b.observe(node.Native, "wrong", 0, count, time.Hour); err != nil {
		return err
	}
	before := b.vaults.TokenRequests()
	if err := b.startAgent("AZURE_CLIENT_SECRET=not-the-secret"); err != nil {
		return err
	}
	fmt.Printf("bench: watching an agent with a wrong secret for %s\n", length)
	if err := pause(ctx, length); err != nil {
		return err
	}
	asked := b.vaults.TokenRequests() - before
	b.Add(fmt.Sprintf("token requests in the first minute with a wrong secret, %d certificates", count), fmt.Sprint(asked), "1 to 5", asked >= 1 && asked <= 5)
	_, err := b.kubectl("", "delete", "observedcertificates", "--all", "--wait=false")
	return err
}
