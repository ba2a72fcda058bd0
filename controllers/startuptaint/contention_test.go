package startuptaint_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/vaultpane/vaultpane/test/await"
)

// others is the number of controllers that add and remove their own taints.
const others = 4

// TestTaintsOfOtherClientsAreKept lets four other controllers change their taints on the same nodes while the startup taint is
// added and removed. Each controller tracks which of its taints should exist.
func TestTaintsOfOtherClientsAreKept(t *testing.T) {
	const nodes, rounds = 50, 20 // a thousand rounds
	c := newCluster(t)
	r := c.run(t)
	must(t, atOnce(nodes, func(i int) error { return c.contend(t.Context(), numbered("n", i), rounds) }))
	await.That(t, "every removal is counted", func() (bool, error) { return r.removals(t) == nodes*rounds, nil })
	t.Logf("%d rounds, %d removals, nothing lost", nodes*rounds, r.removals(t))
}

// contend adds the startup taint to a node while the others change their taints, round after round.
func (c *cluster) contend(ctx context.Context, name string, rounds int) error {
	node, err := c.addNode(ctx, name)
	if err != nil {
		return err
	}
	if err := c.report(ctx, node); err != nil {
		return err
	}
	has := make([]bool, others) // which of the others' taints should exist
	for round := range rounds {
		err := atOnce(others+1, func(i int) (err error) {
			if i == others {
				return c.setTaints(ctx, name, adding(startup))
			}
			has[i], err = c.toggle(ctx, name, i, has[i])
			return err
		})
		if err == nil {
			err = c.settle(ctx, name, has)
		}
		if err != nil {
			return fmt.Errorf("%s, round %d: %w", name, round, err)
		}
	}
	return nil
}

// toggle changes the taint of one of the others, sometimes twice, and returns whether the node should have it now.
func (c *cluster) toggle(ctx context.Context, name string, other int, has bool) (bool, error) {
	taint := corev1.Taint{Key: fmt.Sprintf("example.com/other-%d", other), Effect: corev1.TaintEffectNoSchedule}
	for range 1 + rand.IntN(4)/3 {
		change := adding(taint)
		if has {
			change = without(taint.Key)
		}
		if err := c.setTaints(ctx, name, change); err != nil {
			return has, err
		}
		has = !has
	}
	return has, nil
}

// settle waits until the startup taint is removed, and compares the others' taints with the expected ones.
func (c *cluster) settle(ctx context.Context, name string, has []bool) error {
	want := []string{}
	for other, should := range has {
		if should {
			want = append(want, fmt.Sprintf("example.com/other-%d:NoSchedule", other))
		}
	}
	var got []string
	err := await.Until(ctx, "the startup taint is removed", func() (bool, error) {
		var err error
		got, err = c.taints(ctx, name)
		return !slices.Contains(got, ours), err
	})
	if err != nil {
		return fmt.Errorf("%w; the node has %v", err, got)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		return fmt.Errorf("the others' taints (-want +got):\n%s", diff)
	}
	return nil
}
