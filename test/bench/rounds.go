package main

import (
	"context"
	"fmt"
	"regexp"
	"strconv"

	"github.com/vaultpane/vaultpane/test/node"
)

// roundsLine is what TestRoundsLeaveNothingBehind of Windows' store logs of a loop.
var roundsLine = regexp.MustCompile(`\d+ rounds of ([^:]+): (-?\d+) KB more, (-?\d+) B a round in the heap, (-?\d+) KB more in the server, (-?\d+) descriptors more, .* more in the server, ([\d.]+) s`)

// roundsCost is what the rounds of one loop have cost.
type roundsCost struct {
	kilobytes, heapARound, descriptors int
	seconds                            float64
}

// storeRounds installs, replaces and removes a certificate in Windows' store, and does the same with bare calls, in one
// process: what the store's test does with a few rounds.
func (b *bench) storeRounds(ctx context.Context, rounds int) error {
	fmt.Printf("bench: %d rounds of installing, replacing and removing, wine\n", rounds)
	if err := b.newMachine(ctx, node.Wine); err != nil {
		return err
	}
	output, err := b.machine.Run(ctx, "certstore-test", nil, "-test.run=^TestRoundsLeaveNothingBehind$", "-test.v", "-test.timeout=2h", "-rounds="+strconv.Itoa(rounds))
	if err != nil {
		return fmt.Errorf("%w\n%s", err, output)
	}
	costs := map[string]roundsCost{}
	for _, found := range roundsLine.FindAllStringSubmatch(output, -1) {
		var cost roundsCost
		for i, into := range map[int]*int{2: &cost.kilobytes, 3: &cost.heapARound, 5: &cost.descriptors} {
			if *into, err = strconv.Atoi(found[i]); err != nil {
				return fmt.Errorf("reading what the rounds have cost: %w", err)
			}
		}
		if cost.seconds, err = strconv.ParseFloat(found[6], 64); err != nil {
			return fmt.Errorf("reading how long the rounds took: %w", err)
		}
		costs[found[1]] = cost
	}
	store, bare, imported := costs["store"], costs["bare calls"], costs["bare PFXImportCertStore"]
	if len(costs) != 3 {
		return fmt.Errorf("the output of the rounds has no costs: %s", output)
	}
	what := fmt.Sprintf("%d rounds of install, replace, remove, wine", rounds)
	b.Add("memory of "+what, fmt.Sprintf("%.1f MB", float64(store.kilobytes)/1024),
		fmt.Sprintf("≤ a bare PFXImportCertStore loop, %.1f MB", float64(imported.kilobytes)/1024), store.kilobytes <= imported.kilobytes)
	b.Add("heap a round of the same", fmt.Sprintf("%d B", store.heapARound), fmt.Sprintf("≤ bare calls, %d B, and 512 B", bare.heapARound), store.heapARound <= bare.heapARound+512)
	b.Add("descriptors after the same", fmt.Sprintf("%+d", store.descriptors), fmt.Sprintf("≤ bare calls, %+d, and 4", bare.descriptors), store.descriptors <= bare.descriptors+4)
	slower := store.seconds / bare.seconds
	b.AtMost("time of the same", fmt.Sprintf("%.2f × (%.1f s)", slower, store.seconds), fmt.Sprintf("≤ 2 × bare calls, %.1f s", bare.seconds), slower, 2)
	return nil
}
