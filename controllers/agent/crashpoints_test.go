package agent

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// The other stores of the story.
var (
	hostingStore     = certstore.Ref{Location: certstore.LocalMachine, Name: "WebHosting"}
	authoritiesStore = certstore.Ref{Location: certstore.LocalMachine, Name: certstore.StoreCA}
)

// chapter is something that happens while an agent is there, until it has brought everything to rest.
type chapter struct {
	name    string
	happens func(*life)
	loses   func(*life, string) bool // tells whether a store may lose its certificates
}

// story makes the chapters. The secrets are the same for every life.
func story(h *hierarchy) []chapter {
	web := []issuedSecret{h.secret("web", "v1", 30), h.secret("web", "v2", 20), h.secret("web", "v3", 10)}
	other := h.secret("other", "v1", 30)
	const inMY, otherInMY = `LocalMachine\MY of web`, `LocalMachine\MY of other`
	return []chapter{
		{"two are installed with their chain, and one of them is shared", func(l *life) {
			l.vault[secretURL("web")], l.vault[secretURL("other")] = web[0], other
			l.wishes("web", func(c *v1alpha1.ObservedCertificate) {
				c.Spec.Accounts, c.Spec.LinkOnRenewal = []string{`D\a`}, true
			})
			l.wishes("other")
			l.wishes("twin", func(c *v1alpha1.ObservedCertificate) { c.Spec.URL = secretURL("other") })
		}, nil},
		{"one is renewed, and linked", func(l *life) { l.vault[secretURL("web")] = web[1] }, nil},
		{"it is renewed again, the history is trimmed and another account is granted", func(l *life) {
			l.vault[secretURL("web")] = web[2]
			l.changes("web", func(c *v1alpha1.ObservedCertificate) {
				c.Spec.Accounts, c.Spec.RevisionHistoryLimit = []string{`D\a`, `D\b`}, new(int32(0))
			})
		}, nil},
		{"its key becomes exportable", func(l *life) {
			l.changes("web", func(c *v1alpha1.ObservedCertificate) { c.Spec.KeyExportable = true })
		}, nil},
		{"it moves to another store", func(l *life) {
			l.changes("web", func(c *v1alpha1.ObservedCertificate) { c.Spec.CertificateStoreName = hostingStore.Name })
		}, func(l *life, place string) bool { return place == inMY && l.served[`LocalMachine\WebHosting of web`] }},
		{"it is deleted", func(l *life) { l.deletes("web") }, func(_ *life, place string) bool { return place != otherInMY }},
		{"the other is deleted, and the twin inherits", func(l *life) { l.deletes("other") }, nil},
		{"the twin is deleted", func(l *life) { l.deletes("twin") }, func(*life, string) bool { return true }},
	}
}

func secretURL(name string) string { return "https://v.vault.azure.net/secrets/" + name }

// lives tells the story and returns what there is after each chapter.
func (l *life) lives(chapters []chapter) []map[string]string {
	l.t.Helper()
	var after []map[string]string
	for number, one := range chapters {
		l.chapter = one.name
		l.store.changed = func(write string) { l.watch(write, one.loses) }
		one.happens(l)
		if number == 0 {
			l.start()
		}
		l.rest()
		after = append(after, l.seen())
	}
	return after
}

// watch checks after every write what must hold at every moment.
func (l *life) watch(write string, loses func(*life, string) bool) {
	l.t.Helper()
	served, present := map[string]bool{}, map[string]bool{}
	var all []certstore.Entry
	l.look(func(ref certstore.Ref, entry certstore.Entry) {
		present[ref.String()+" "+entry.Thumbprint] = entry.Key != certstore.KeyMissing
		if entry.Mark != nil && entry.Mark.Role == certstore.RoleLeaf && entry.Key == certstore.KeyPresent && entry.ValidAt(l.now) {
			served[ref.String()+" of "+entry.Certificate.Subject.CommonName] = true
			all = append(all, entry)
		}
		if entry.Successor != "" && !present[ref.String()+" "+entry.Successor] {
			found, err := l.eyes.Find(ref, entry.Successor)
			l.must(err)
			if found == nil || found.Key != certstore.KeyPresent {
				l.t.Errorf("%s: after %s a link points to nothing", l.place(), write)
			}
		}
	})
	before := l.served
	l.served = served
	for place := range before {
		if !served[place] && (loses == nil || !loses(l, place)) {
			l.t.Errorf("%s: after %s there is no valid certificate in %s", l.place(), write, place)
		}
	}
	for _, entry := range all {
		issuers, err := l.eyes.List(authoritiesStore)
		l.must(err)
		if len(issuers) == 0 {
			l.t.Errorf("%s: after %s the intermediate of %s is not there", l.place(), write, entry.Certificate.Subject.CommonName)
		}
	}
}

func (l *life) look(at func(certstore.Ref, certstore.Entry)) {
	l.t.Helper()
	for _, ref := range []certstore.Ref{myStore, hostingStore, authoritiesStore} {
		entries, err := l.eyes.List(ref)
		l.must(err)
		for _, entry := range entries {
			at(ref, entry)
		}
	}
}

// seen returns everything that a user can tell: what the stores hold, which files there are, and what is reported.
func (l *life) seen() map[string]string {
	l.t.Helper()
	seen := map[string]string{}
	l.look(func(ref certstore.Ref, entry certstore.Entry) {
		mark := "no mark"
		if entry.Mark != nil {
			mark = entry.Mark.String()
		}
		seen[ref.String()+" "+entry.Thumbprint] = fmt.Sprintf("%s; key %s; %s; renewed by %q; called %q", mark, entry.Key, entry.Access, entry.Successor, entry.FriendlyName)
	})
	l.must(filepath.WalkDir(l.root, func(path string, file fs.DirEntry, err error) error {
		if err == nil && !file.IsDir() {
			seen["file "+path[len(l.root):]] = "there"
		}
		return err
	}))
	for _, name := range l.agent.Reporter.Names() {
		known, _ := l.agent.records.get(name)
		reported := known.entry
		seen["report of "+name] = fmt.Sprintf("%s %s %q %s %s", reported.Thumbprint, reported.Version, reported.State, reported.Reason, reported.Message)
	}
	return seen
}

// TestWhereverTheAgentIsKilledItsSuccessorEndsTheSame tells one story again and again, each time with an agent that is killed
// at another call of the store, before it takes effect and after.
func TestWhereverTheAgentIsKilledItsSuccessorEndsTheSame(t *testing.T) {
	chapters := story(newHierarchy(t))
	undisturbed := newLife(t, 0, false)
	want := undisturbed.lives(chapters)
	if t.Failed() {
		return
	}
	for number, seen := range want {
		t.Logf("after %q there are %d things to see", chapters[number].name, len(seen))
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
				l := newLife(t, killAt, effected)
				got := l.lives(chapters)
				if l.store.last == "" {
					t.Errorf("no agent was killed at call %d", killAt)
				}
				for number := range want {
					if diff := cmp.Diff(want[number], got[number]); diff != "" {
						t.Fatalf("killed at call %d (%s): after %q it differs (-want +got):\n%s", killAt, l.store.last, chapters[number].name, diff)
					}
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}
