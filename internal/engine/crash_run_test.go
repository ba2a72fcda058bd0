package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
	"github.com/vaultpane/vaultpane/test/winetest"
)

// crashRun is a machine whose agent is killed once, and everything around it.
type crashRun struct {
	t        *testing.T
	root     string
	objects  objects
	vault    memoryVault
	machine  accountMachine
	store    *crashStore
	observer certstore.Store // the store as another process sees it
	agent    *Engine
	now      time.Time
	scene    string
	served   map[string]bool // which store has a valid certificate of what name
}

// accountMachine is a machine with accounts.
type accountMachine struct {
	directory.Machine
	sids map[string]string // by account
}

// Resolve implements certstore.Machine.
func (m accountMachine) Resolve(account string) (string, error) { return m.sids[account], nil }

// newCrashRun begins with an empty store.
func newCrashRun(t *testing.T, killAt int, effected bool) *crashRun {
	t.Helper()
	root := winetest.TempDir(t)
	observer, err := directory.New(root)
	if err != nil {
		t.Fatal(err)
	}
	return &crashRun{
		t: t, root: root, observer: observer, objects: objects{}, vault: memoryVault{}, now: noon, served: map[string]bool{},
		machine: accountMachine{sids: map[string]string{`D\a`: "S-1-5-21-1", `D\b`: "S-1-5-21-2"}},
		store:   &crashStore{killAt: killAt, effected: effected},
	}
}

// create creates an ObservedCertificate, as agents that start later see it.
func (r *crashRun) create(name string, changes ...func(*v1alpha1.ObservedCertificate)) {
	r.t.Helper()
	r.objects[name] = observed(name, append([]func(*v1alpha1.ObservedCertificate){func(c *v1alpha1.ObservedCertificate) {
		c.Spec.URL, c.Spec.PollingIntervalInS, c.Spec.DeletionPolicy = secretURL(name), 3600, v1alpha1.DeletionDelete
	}}, changes...)...)
	r.objects[name].CreationTimestamp.Time = noon.Add(-time.Hour)
}

func (r *crashRun) change(name string, change func(*v1alpha1.ObservedCertificate)) {
	changed := r.objects[name].DeepCopy()
	change(changed)
	changed.Generation++
	r.objects[name] = changed
}

func (r *crashRun) must(err error) {
	r.t.Helper()
	if err != nil {
		r.t.Fatalf("%s: %v", r.where(), err)
	}
}

// where names the scene, and the call at which the agent was killed.
func (r *crashRun) where() string {
	return fmt.Sprintf("killed at call %d (%s, which took effect: %t), while %q", r.store.killAt, r.store.last, r.store.effected, r.scene)
}

// start starts an agent that remembers nothing. Its store check comes before it processes any certificate.
func (r *crashRun) start() {
	r.t.Helper()
	opened, err := directory.New(r.root)
	r.must(err)
	r.store.store, r.store.dead = opened, false
	r.agent = engineWith(r.store, r.objects)
	r.agent.Machine, r.agent.Secrets = r.machine, r.vault
	r.agent.Now, r.agent.Started = func() time.Time { return r.now }, r.now
	for _, begin := range []func() error{r.agent.search, r.check} {
		if err := begin(); !r.store.dead {
			r.must(err)
		}
	}
}

func (r *crashRun) check() error { return r.agent.Check(r.t.Context(), func(string) {}) }

// round processes every certificate and checks the store; it returns false when the agent was killed meanwhile.
func (r *crashRun) round() bool {
	r.t.Helper()
	r.now = r.now.Add(time.Minute)
	for _, name := range []string{"web", "other", "twin"} {
		if certificate := r.objects[name]; certificate != nil {
			r.agent.Process(r.t.Context(), certificate)
		} else {
			_ = r.agent.Release(r.t.Context(), name) // the store check retries it
		}
		if r.store.dead {
			return false
		}
	}
	if err := r.check(); !r.store.dead {
		r.must(err)
	}
	return !r.store.dead
}

// settle lets every certificate's slot come and continues, with another agent where one was killed, until nothing has been written
// for three rounds: intermediates are removed when two checks in a row found them unneeded.
func (r *crashRun) settle() {
	r.t.Helper()
	r.now = r.now.Add(2 * time.Hour)
	writes, quiet := r.store.writes, 0
	for range 20 {
		finished := r.round()
		if quiet++; !finished || r.store.writes != writes {
			writes, quiet = r.store.writes, 0
		}
		if !finished {
			r.start()
		}
		if quiet == 3 {
			return
		}
	}
	r.t.Fatalf("%s: the agent does not settle", r.where())
}
