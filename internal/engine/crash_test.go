package engine

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// The other stores of the scenario.
var (
	hostingStore     = certstore.Ref{Location: certstore.LocalMachine, Name: "WebHosting"}
	authoritiesStore = certstore.Ref{Location: certstore.LocalMachine, Name: certstore.StoreCA}
)

// scene is something that happens while an agent runs, until the stores have settled.
type scene struct {
	name    string
	happens func(*crashRun)
	loses   func(*crashRun, string) bool // reports whether a store may lose its certificates
}

// scenario makes the scenes. The secrets are the same for every run.
func scenario(h *hierarchy) []scene {
	web := []issuedSecret{h.secret("web", "v1", 30), h.secret("web", "v2", 20), h.secret("web", "v3", 10)}
	other := h.secret("other", "v1", 30)
	const inMY, otherInMY = `LocalMachine\MY of web`, `LocalMachine\MY of other`
	return []scene{
		{"two are installed with their chain, and one of them is shared", func(r *crashRun) {
			r.vault[secretURL("web")], r.vault[secretURL("other")] = web[0], other
			r.create("web", func(c *v1alpha1.ObservedCertificate) {
				c.Spec.Accounts, c.Spec.LinkOnRenewal = []string{`D\a`}, true
			})
			r.create("other")
			r.create("twin", func(c *v1alpha1.ObservedCertificate) { c.Spec.URL = secretURL("other") })
		}, nil},
		{"one is renewed, and linked", func(r *crashRun) { r.vault[secretURL("web")] = web[1] }, nil},
		{"it is renewed again, the history is trimmed and another account is granted", func(r *crashRun) {
			r.vault[secretURL("web")] = web[2]
			r.change("web", func(c *v1alpha1.ObservedCertificate) {
				c.Spec.Accounts, c.Spec.RevisionHistoryLimit = []string{`D\a`, `D\b`}, new(int32(0))
			})
		}, nil},
		{"its key becomes exportable", func(r *crashRun) {
			r.change("web", func(c *v1alpha1.ObservedCertificate) { c.Spec.KeyExportable = true })
		}, nil},
		{"it moves to another store", func(r *crashRun) {
			r.change("web", func(c *v1alpha1.ObservedCertificate) { c.Spec.CertificateStoreName = hostingStore.Name })
		}, func(r *crashRun, place string) bool {
			return place == inMY && r.served[`LocalMachine\WebHosting of web`]
		}},
		{"it is deleted", func(r *crashRun) { delete(r.objects, "web") }, func(_ *crashRun, place string) bool { return place != otherInMY }},
		{"the other is deleted, and the twin inherits", func(r *crashRun) { delete(r.objects, "other") }, nil},
		{"the twin is deleted", func(r *crashRun) { delete(r.objects, "twin") }, func(*crashRun, string) bool { return true }},
	}
}

func secretURL(name string) string { return "https://v.vault.azure.net/secrets/" + name }

// play plays the scenes and returns the state after each.
func (r *crashRun) play(scenes []scene) []map[string]string {
	r.t.Helper()
	var after []map[string]string
	for number, one := range scenes {
		r.scene = one.name
		r.store.changed = func(write string) { r.watch(write, one.loses) }
		one.happens(r)
		if number == 0 {
			r.start()
		}
		r.settle()
		after = append(after, r.state())
	}
	return after
}

// watch checks after every write what must hold at every moment.
func (r *crashRun) watch(write string, loses func(*crashRun, string) bool) {
	r.t.Helper()
	served, present := map[string]bool{}, map[string]bool{}
	var all []certstore.Entry
	r.look(func(ref certstore.Ref, entry certstore.Entry) {
		present[ref.String()+" "+entry.Thumbprint] = entry.Key != certstore.KeyMissing
		if entry.Mark != nil && entry.Mark.Role == certstore.RoleLeaf && entry.Key == certstore.KeyPresent && entry.ValidAt(r.now) {
			served[ref.String()+" of "+entry.Certificate.Subject.CommonName] = true
			all = append(all, entry)
		}
		if entry.Successor != "" && !present[ref.String()+" "+entry.Successor] {
			found, err := r.observer.Find(ref, entry.Successor)
			r.must(err)
			if found == nil || found.Key != certstore.KeyPresent {
				r.t.Errorf("%s: after %s a link points to nothing", r.where(), write)
			}
		}
	})
	before := r.served
	r.served = served
	for place := range before {
		if !served[place] && (loses == nil || !loses(r, place)) {
			r.t.Errorf("%s: after %s there is no valid certificate in %s", r.where(), write, place)
		}
	}
	for _, entry := range all {
		issuers, err := r.observer.List(authoritiesStore)
		r.must(err)
		if len(issuers) == 0 {
			r.t.Errorf("%s: after %s the intermediate of %s is not there", r.where(), write, entry.Certificate.Subject.CommonName)
		}
	}
}

func (r *crashRun) look(at func(certstore.Ref, certstore.Entry)) {
	r.t.Helper()
	for _, ref := range []certstore.Ref{myStore, hostingStore, authoritiesStore} {
		entries, err := r.observer.List(ref)
		r.must(err)
		for _, entry := range entries {
			at(ref, entry)
		}
	}
}

// state returns everything that a user can see: what the stores hold, which files there are, and what is reported.
func (r *crashRun) state() map[string]string {
	r.t.Helper()
	seen := map[string]string{}
	r.look(func(ref certstore.Ref, entry certstore.Entry) {
		mark := "no mark"
		if entry.Mark != nil {
			mark = entry.Mark.String()
		}
		seen[ref.String()+" "+entry.Thumbprint] = fmt.Sprintf("%s; key %s; %s; renewed by %q; called %q", mark, entry.Key, entry.Access, entry.Successor, entry.FriendlyName)
	})
	r.must(filepath.WalkDir(r.root, func(path string, file fs.DirEntry, err error) error {
		if err == nil && !file.IsDir() {
			seen["file "+path[len(r.root):]] = "there"
		}
		return err
	}))
	for _, name := range r.agent.Reports.Names() {
		known, _ := r.agent.memory.get(name)
		reported := known.entry
		seen["report of "+name] = fmt.Sprintf("%s %s %q %s %s", reported.Thumbprint, reported.Version, reported.State, reported.Reason, reported.Message)
	}
	return seen
}

// TestWhereverTheAgentIsKilledItsSuccessorEndsTheSame plays one scenario again and again, each time with an agent that is killed
// at another call of the store, before it takes effect and after.
func TestWhereverTheAgentIsKilledItsSuccessorEndsTheSame(t *testing.T) {
	scenes := scenario(newHierarchy(t))
	undisturbed := newCrashRun(t, 0, false)
	want := undisturbed.play(scenes)
	if t.Failed() {
		return
	}
	for number, seen := range want {
		t.Logf("after %q there are %d things to see", scenes[number].name, len(seen))
	}
	points := 2 * undisturbed.store.calls
	t.Logf("the agent is killed at %d crash points: before and after each of %d calls of the store, %d of them writes", points, undisturbed.store.calls, undisturbed.store.writes)
	if points < 30 {
		t.Errorf("%d crash points are too few to prove anything", points)
	}
	for _, effected := range []bool{false, true} {
		t.Run(fmt.Sprintf("effect %t", effected), func(t *testing.T) {
			t.Parallel()
			for killAt := 1; killAt <= undisturbed.store.calls; killAt++ {
				r := newCrashRun(t, killAt, effected)
				got := r.play(scenes)
				if r.store.last == "" {
					t.Errorf("no agent was killed at call %d", killAt)
				}
				for number := range want {
					if diff := cmp.Diff(want[number], got[number]); diff != "" {
						t.Fatalf("killed at call %d (%s): after %q it differs (-want +got):\n%s", killAt, r.store.last, scenes[number].name, diff)
					}
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}
