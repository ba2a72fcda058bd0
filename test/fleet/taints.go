package fleet

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Taints sees when the startup taint is taken from nodes.
type Taints struct {
	mu      sync.Mutex
	tainted map[string]bool
	last    time.Time // when one was last seen to go
}

// WatchTaints begins to watch; it ends with the context.
func (f *Fleet) WatchTaints(ctx context.Context) (*Taints, error) {
	events, err := f.kube.Watch(ctx, &corev1.NodeList{})
	if err != nil {
		return nil, fmt.Errorf("watching Nodes: %w", err)
	}
	t := &Taints{tainted: map[string]bool{}}
	go func() {
		for event := range events.ResultChan() {
			t.take(event, time.Now())
		}
	}()
	return t, nil
}

func (t *Taints) take(event watch.Event, at time.Time) {
	node, ok := event.Object.(*corev1.Node)
	if !ok {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	tainted := event.Type != watch.Deleted &&
		slices.ContainsFunc(node.Spec.Taints, func(taint corev1.Taint) bool { return v1alpha1.IsStartupTaintKey(taint.Key) })
	if t.tainted[node.Name] && !tainted {
		t.last = at
	}
	t.tainted[node.Name] = tainted
}

// Count is how many nodes have the taint.
func (t *Taints) Count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	count := 0
	for _, tainted := range t.tainted {
		if tainted {
			count++
		}
	}
	return count
}

// Gone waits until no node has the taint, and returns when the last one went.
func (t *Taints) Gone(ctx context.Context, limit time.Duration) (time.Time, error) {
	err := wait.PollUntilContextTimeout(ctx, 20*time.Millisecond, limit, true, func(context.Context) (bool, error) { return t.Count() == 0, nil })
	if err != nil {
		return time.Time{}, fmt.Errorf("waiting for the startup taint to go, %d nodes have it: %w", t.Count(), err)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.last, nil
}
