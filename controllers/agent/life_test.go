package agent

import (
	"fmt"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/agent/report"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
)

// life is a machine whose agent is killed once, and everything around it.
type life struct {
	t       *testing.T
	root    string
	kube    client.Client
	vault   shelf
	machine *directoryOf
	store   *mortalStore
	eyes    certstore.Store // the store as another process sees it
	agent   *Reconciler
	now     time.Time
	chapter string
	served  map[string]bool // which store has a valid certificate of what name
}

// newLife begins with a node and an empty store.
func newLife(t *testing.T, killAt int, effected bool) *life {
	t.Helper()
	root := t.TempDir()
	eyes, err := directory.New(root)
	if err != nil {
		t.Fatal(err)
	}
	return &life{
		t: t, root: root, eyes: eyes, kube: clusterOf(t, nodeObject(nil)), vault: shelf{}, now: noon, served: map[string]bool{},
		machine: &directoryOf{answers: map[string]any{`D\a`: "S-1-5-21-1", `D\b`: "S-1-5-21-2"}},
		store:   &mortalStore{killAt: killAt, effected: effected},
	}
}

// wishes makes an ObservedCertificate, as it will be for whoever starts later.
func (l *life) wishes(name string, changes ...func(*v1alpha1.ObservedCertificate)) {
	l.t.Helper()
	wanted := wishFor(name, append([]func(*v1alpha1.ObservedCertificate){func(c *v1alpha1.ObservedCertificate) {
		c.Spec.URL, c.Spec.PollingIntervalInS, c.Spec.DeletionPolicy = secretURL(name), 3600, v1alpha1.DeletionDelete
	}}, changes...)...)
	wanted.CreationTimestamp.Time = noon.Add(-time.Hour)
	l.must(l.kube.Create(l.t.Context(), wanted))
}

func (l *life) changes(name string, change func(*v1alpha1.ObservedCertificate)) {
	l.t.Helper()
	var wanted v1alpha1.ObservedCertificate
	l.must(l.kube.Get(l.t.Context(), types.NamespacedName{Name: name}, &wanted))
	change(&wanted)
	wanted.Generation++
	l.must(l.kube.Update(l.t.Context(), &wanted))
}

func (l *life) deletes(name string) {
	l.t.Helper()
	var wanted v1alpha1.ObservedCertificate
	l.must(l.kube.Get(l.t.Context(), types.NamespacedName{Name: name}, &wanted))
	l.must(l.kube.Delete(l.t.Context(), &wanted))
}

func (l *life) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatalf("%s: %v", l.place(), err)
	}
}

// place says where in the story it is, and where the agent was killed.
func (l *life) place() string {
	return fmt.Sprintf("killed at call %d (%s, which took effect: %t), while %q", l.store.killAt, l.store.last, l.store.effected, l.chapter)
}

// start starts an agent that remembers nothing. Its store check comes before any certificate's first look.
func (l *life) start() {
	l.t.Helper()
	opened, err := directory.New(l.root)
	l.must(err)
	l.store.store, l.store.dead = opened, false
	clock := func() time.Time { return l.now }
	reporter := &report.Reporter{Client: l.kube, Node: "node", NodeUID: "node-uid", Now: clock}
	_, err = reporter.Load(l.t.Context())
	l.must(err)
	l.agent = &Reconciler{
		Client: l.kube, Store: l.store, Machine: l.machine, Secrets: l.vault, Reporter: reporter, Events: events.NewFakeRecorder(100),
		Metrics: NewMetrics(prometheus.NewRegistry(), "test"), Now: clock, Options: Options{Node: "node", Workers: 1, Started: l.now},
	}
	l.agent.inventory.store = l.store
	l.agent.recheck = make(chan event.TypedGenericEvent[string], 100)
	for _, begin := range []func() error{l.agent.search, func() error { return l.agent.check(l.t.Context()) }} {
		if err := begin(); !l.store.dead {
			l.must(err)
		}
	}
}

// round looks at every certificate and checks the store; it is false when the agent was killed on the way.
func (l *life) round() bool {
	l.t.Helper()
	l.now = l.now.Add(time.Minute)
	for _, name := range []string{"web", "other", "twin"} {
		if _, err := l.agent.Reconcile(l.t.Context(), requestFor(name)); !l.store.dead {
			l.must(err)
		}
		if l.store.dead {
			return false
		}
	}
	if err := l.agent.check(l.t.Context()); !l.store.dead {
		l.must(err)
	}
	return !l.store.dead
}

// rest lets every certificate's slot come and goes on, with another agent where one was killed, until nothing has been written for three rounds: intermediates go
// when two checks in a row found them unneeded.
func (l *life) rest() {
	l.t.Helper()
	l.now = l.now.Add(2 * time.Hour)
	writes, quiet := l.store.writes, 0
	for range 20 {
		finished := l.round()
		if quiet++; !finished || l.store.writes != writes {
			writes, quiet = l.store.writes, 0
		}
		if !finished {
			l.start()
		}
		if quiet == 3 {
			return
		}
	}
	l.t.Fatalf("%s: the agent does not come to rest", l.place())
}
