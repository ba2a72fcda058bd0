package startuptaint_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/startuptaint"
	"github.com/vaultpane/vaultpane/test/await"
)

// writers is how many simulated agents write concurrently.
const writers = 16

// TestAThousandNodesStartTogether measures the time from a node's last report to the removal of its taint, and how long a thousand
// simultaneous removals take.
func TestAThousandNodesStartTogether(t *testing.T) {
	const nodes = 1000
	c, ctx, start := newCluster(t), t.Context(), time.Now()
	required := []string{"api", "root", "web"}
	for _, name := range required {
		must(t, c.require(ctx, name))
	}
	r, seen := c.run(t), c.watchRemovals(t)

	made := make([]*corev1.Node, nodes)
	must(t, inTurn(nodes, func(i int) (err error) {
		if made[i], err = c.addNode(ctx, numbered("n", i), startup, gpu); err != nil {
			return err
		}
		return c.report(ctx, made[i], v1alpha1.CertificateEntry{Name: "api", State: v1alpha1.StatePending, Reason: v1alpha1.ReasonPending})
	}))
	if early := seen.count(); early != 0 {
		t.Fatalf("%d taints were removed before anything was installed", early)
	}
	reported := make([]time.Time, nodes)
	firstReport := time.Now()
	must(t, inTurn(nodes, func(i int) error {
		defer func() { reported[i] = time.Now() }()
		return c.report(ctx, made[i], installed("api", 1), installed("root", 1), installed("web", 1))
	}))
	last := time.Now()
	await.That(t, "all taints are removed", func() (bool, error) { return seen.count() == nodes, nil })

	latencies := make([]time.Duration, nodes)
	for i, node := range made {
		latencies[i] = seen.at(node.Name).Sub(reported[i])
	}
	slices.Sort(latencies)
	t.Logf("%d nodes reported in %s; the last removal came %s after the last report", nodes, last.Sub(firstReport).Round(time.Millisecond), seen.latest().Sub(last).Round(time.Millisecond))
	t.Logf("from a node's report to its removal: median %s, 99 of 100 %s, at most %s", latencies[nodes/2], latencies[nodes*99/100], latencies[nodes-1])
	// A watcher may see the node before the reconciler has received the response to its patch and counted it.
	await.That(t, "each removal is counted once", func() (bool, error) { return r.removals(t) == nodes, nil })

	must(t, c.require(ctx, "gate"))
	must(t, inTurn(nodes, func(i int) error { return c.setTaints(ctx, made[i].Name, adding(startup)) }))
	opened := time.Now()
	must(t, c.change(ctx, "gate", func(s *v1alpha1.ObservedCertificateSpec) { s.RequireInitialSync = false }))
	await.That(t, "all taints are removed again", func() (bool, error) { return r.removals(t) == 2*nodes, nil })
	t.Logf("%d nodes became ready simultaneously: the last removal came after %s", nodes, time.Since(opened).Round(time.Millisecond))

	counts, err := c.eventsOf(ctx)
	must(t, err)
	t.Logf("events: %v", counts)
	waiting := counts[startuptaint.EventWaitingForAgent] + counts[startuptaint.EventWaitingForCertificates]
	if most := startuptaint.MaxWaitEvents(time.Since(start)); waiting > most {
		t.Errorf("%d events about waiting, want at most %d", waiting, most)
	}
}

// inTurn calls a function for 0 to count-1 from all writers.
func inTurn(count int, do func(i int) error) error {
	return atOnce(writers, func(writer int) error {
		for i := writer; i < count; i += writers {
			if err := do(i); err != nil {
				return err
			}
		}
		return nil
	})
}

// removalTimes are the times when each node was first seen without the startup taint after having it.
type removalTimes struct {
	mu    sync.Mutex
	had   map[string]bool
	times map[string]time.Time
}

func (c *cluster) watchRemovals(t *testing.T) *removalTimes {
	t.Helper()
	seen := &removalTimes{had: map[string]bool{}, times: map[string]time.Time{}}
	kube, err := client.NewWithWatch(c.plane.Config(), client.Options{Scheme: scheme})
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	events, err := kube.Watch(ctx, &corev1.NodeList{})
	must(t, err)
	var watching sync.WaitGroup
	watching.Go(func() {
		for event := range events.ResultChan() {
			seen.take(event)
		}
	})
	t.Cleanup(func() { cancel(); watching.Wait() })
	return seen
}

func (s *removalTimes) take(event watch.Event) {
	node, ok := event.Object.(*corev1.Node)
	if !ok || event.Type == watch.Deleted {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if slices.Contains(asText(node.Spec.Taints), ours) {
		s.had[node.Name] = true
	} else if s.had[node.Name] && s.times[node.Name].IsZero() {
		s.times[node.Name] = time.Now()
	}
}

func (s *removalTimes) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.times)
}

func (s *removalTimes) at(name string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.times[name]
}

func (s *removalTimes) latest() (last time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, at := range s.times {
		if at.After(last) {
			last = at
		}
	}
	return last
}
