package main

import (
	"context"
	"fmt"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func clusterFaults() []fault {
	hang := func(_ context.Context, s *site) error { s.front.(*member).proxy.hang(); return nil }
	resume := func(_ context.Context, s *site) error { s.front.(*member).proxy.resume(); return nil }
	return []fault{
		{name: "API server away, then restarted", of: inCluster, begin: stopAPIServer, end: startAPIServer},
		repeats("agent's connections to the API server dropped", func(_ context.Context, m *member, _ int) { m.proxy.cut() }),
		{name: "agent's connections to the API server hang", of: inCluster, begin: hang, end: resume},
		repeats("another writer changes the node's state", writeAgainst),
	}
}

// stopAPIServer takes it away from both nodes. One site may do that at a time.
func stopAPIServer(ctx context.Context, s *site) error {
	c := s.front.(*member).cluster
	select {
	case c.away <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err() // the other site failed meanwhile
	}
	return c.plane.StopAPIServer()
}

func startAPIServer(_ context.Context, s *site) error {
	c := s.front.(*member).cluster
	defer func() { <-c.away }()
	return c.plane.StartAPIServer()
}

// repeats is something that happens to a node of the cluster ten times a second until the fault ends.
func repeats(name string, do func(ctx context.Context, m *member, number int)) fault {
	return fault{
		name: name, of: inCluster,
		begin: func(ctx context.Context, s *site) error {
			ctx, cancel := context.WithCancel(ctx)
			ended := make(chan struct{})
			s.repeating = append(s.repeating, func() { cancel(); <-ended })
			go func() {
				defer close(ended)
				for number := 0; ctx.Err() == nil; number++ {
					do(ctx, s.front.(*member), number)
					wait(ctx, 100*time.Millisecond)
				}
			}()
			return nil
		},
		end: func(_ context.Context, s *site) error {
			for _, stop := range s.repeating {
				stop()
			}
			s.repeating = nil
			return nil
		},
	}
}

// writeAgainst reports wrong things about the node, as an administrator or a broken tool could.
func writeAgainst(ctx context.Context, m *member, number int) {
	var state v1alpha1.NodeCertificateState
	if err := m.cluster.kube.Get(ctx, client.ObjectKey{Name: m.node}, &state); err != nil {
		return // there is none, or the API server is away
	}
	for i := range state.Certificates {
		state.Certificates[i].State = v1alpha1.StateFailed
		state.Certificates[i].Message = fmt.Sprintf("somebody wrote this %d times", number)
	}
	_ = m.cluster.kube.Update(ctx, &state) // it conflicts with the agent's writes
}
