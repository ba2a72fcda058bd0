package certstore

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	mathrand "math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/internal/bundle"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

var (
	my      = Ref{LocalMachine, "MY"}
	ca      = Ref{LocalMachine, "CA"}
	hosting = Ref{LocalMachine, "WebHosting"}
)

// issued is a certificate of a small private hierarchy. Plans only read dates, names and hashes.
type issued struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func issue(t testing.TB, name string, from, to time.Time, authority bool, issuer *issued) *issued {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(mathrand.Int64()), Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: to,
		IsCA: authority, BasicConstraintsValid: true,
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.certificate, issuer.key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &issued{certificate, key}
}

func leafFrom(t testing.TB, from time.Time) *issued {
	return issue(t, "web", from, from.AddDate(1, 0, 0), false, nil)
}

func (i *issued) bundle(chain ...*issued) *bundle.Bundle {
	b := &bundle.Bundle{Leaf: i.certificate, Key: i.key}
	for _, one := range chain {
		b.Chain = append(b.Chain, one.certificate)
	}
	return b
}

func (i *issued) entry(mark *Mark, key KeyState) Entry {
	return Entry{Certificate: i.certificate, Thumbprint: Thumbprint(i.certificate), Mark: mark, Key: key}
}

func markOf(name string) Mark {
	return Mark{Name: name, UID: name + "-uid", Version: "v", DeletionPolicy: "Retain", Role: RoleLeaf}
}

// words returns actions as short lines, so that tests can contain whole plans.
func words(actions []Action, names map[string]string) []string {
	var lines []string
	for _, action := range actions {
		switch step := action.(type) {
		case *Install:
			line := fmt.Sprintf("install %s %s for %s", names[Thumbprint(step.Item.Certificate)], step.Ref.Name, step.Item.Mark.Name)
			if step.Item.Key != nil {
				line += " with key"
			}
			lines = append(lines, line)
		case *Update:
			line := fmt.Sprintf("update %s %s", names[step.Thumbprint], step.Ref.Name)
			if mark := step.Change.Mark; mark != nil {
				line += fmt.Sprintf(" for %s version %s %s", mark.Name, mark.Version, mark.DeletionPolicy)
			}
			if step.Change.Access != nil {
				line += " access " + *step.Change.Access
			}
			lines = append(lines, line)
		case *Link:
			lines = append(lines, fmt.Sprintf("link %s to %s", names[step.Thumbprint], names[step.Successor]))
		case *Keep:
			lines = append(lines, fmt.Sprintf("keep %s for %s", names[step.Thumbprint], strings.Join(step.Bound, ", ")))
		case *Remove:
			lines = append(lines, fmt.Sprintf("remove %s %s after %s", names[step.Thumbprint], step.Ref.Name, names[step.Successor]))
		}
	}
	return lines
}

func TestPlan(t *testing.T) {
	root := issue(t, "root", now.AddDate(-5, 0, 0), now.AddDate(5, 0, 0), true, nil)
	inter := issue(t, "inter", now.AddDate(-5, 0, 0), now.AddDate(5, 0, 0), true, root)
	oldest, older, current := leafFrom(t, now.AddDate(0, -8, 0)), leafFrom(t, now.AddDate(0, -4, 0)), leafFrom(t, now.AddDate(0, -1, 0))
	future := leafFrom(t, now.AddDate(0, 0, 1))
	names := map[string]string{"": "nothing"}
	for name, one := range map[string]*issued{"root": root, "inter": inter, "oldest": oldest, "older": older, "current": current, "future": future} {
		names[Thumbprint(one.certificate)] = name
	}
	web, other := markOf("web"), markOf("other")
	first, second := web, web
	first.Version, second.Version = "v1", "v2"
	with := func(mark Mark, change func(*Mark)) *Mark { change(&mark); return &mark }
	limit := func(n int32) *int32 { return &n }
	owners := map[string]Owner{"web-uid": {"web", now.Add(-time.Hour)}, "other-uid": {"other", now.Add(-2 * time.Hour)}}

	tests := []struct {
		name     string
		desired  Desired
		entries  map[Ref][]Entry
		want     []string
		bound    map[string][]string
		claimed  *issued
		conflict string
	}{
		{
			name:    "an empty store receives the intermediates, then the leaf with its key, and never the root",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle(inter, root)},
			want:    []string{"install inter CA for web", "install current MY for web with key"},
		},
		{
			name:    "the desired state needs no action",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle(inter)},
			entries: map[Ref][]Entry{my: {current.entry(&web, KeyPresent)}, ca: {inter.entry(nil, KeyNone)}},
		},
		{
			name:    "a store name in other letters is the same store",
			desired: Desired{Mark: web, Ref: Ref{LocalMachine, "my"}, Bundle: current.bundle()},
			entries: map[Ref][]Entry{my: {current.entry(&web, KeyPresent)}},
		},
		{
			name:    "a missing key is installed again",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle()},
			entries: map[Ref][]Entry{my: {current.entry(&web, KeyMissing)}},
			want:    []string{"install current MY for web with key"},
		},
		{
			name:    "another key option installs the key again",
			desired: Desired{Mark: *with(web, func(m *Mark) { m.Exportable = true }), Ref: my, Bundle: current.bundle()},
			entries: map[Ref][]Entry{my: {current.entry(&web, KeyPresent)}},
			want:    []string{"install current MY for web with key"},
		},
		{
			name:    "another deletion policy changes the mark only",
			desired: Desired{Mark: *with(web, func(m *Mark) { m.DeletionPolicy = "Delete" }), Ref: my, Bundle: current.bundle()},
			entries: map[Ref][]Entry{my: {current.entry(&web, KeyPresent)}},
			want:    []string{"update current MY for web version v Delete"},
		},
		{
			name:    "another tool's certificate is used without changes",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle()},
			entries: map[Ref][]Entry{my: {current.entry(nil, KeyPresent)}},
		},
		{
			name:     "and not changed if its key is missing",
			desired:  Desired{Mark: web, Ref: my, Bundle: current.bundle()},
			entries:  map[Ref][]Entry{my: {current.entry(nil, KeyMissing)}},
			conflict: "installed by another tool without its private key",
		},
		{
			name:     "a certificate with a mark of another version is not changed",
			desired:  Desired{Mark: web, Ref: my, Bundle: current.bundle()},
			entries:  map[Ref][]Entry{my: {{Certificate: current.certificate, Thumbprint: Thumbprint(current.certificate), UnknownMark: true, Key: KeyPresent}}},
			conflict: "mark of another version",
		},
		{
			name:    "superseded versions stay without a limit",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle()},
			entries: map[Ref][]Entry{my: {oldest.entry(&first, KeyPresent), older.entry(&second, KeyPresent)}},
			want:    []string{"install current MY for web with key"},
		},
		{
			name:    "beyond the limit they are removed, oldest first, after the installation",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle(), HistoryLimit: limit(0)},
			entries: map[Ref][]Entry{my: {older.entry(&second, KeyPresent), oldest.entry(&first, KeyPresent)}},
			want:    []string{"install current MY for web with key", "remove oldest MY after current", "remove older MY after current"},
		},
		{
			name:    "the newest of them stay within the limit",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle(), HistoryLimit: limit(1)},
			entries: map[Ref][]Entry{my: {older.entry(&second, KeyPresent), oldest.entry(&first, KeyPresent), current.entry(&web, KeyPresent)}},
			want:    []string{"remove oldest MY after current"},
		},
		{
			name:    "no version is removed while the successor is not yet valid",
			desired: Desired{Mark: web, Ref: my, Bundle: future.bundle(), HistoryLimit: limit(0)},
			entries: map[Ref][]Entry{my: {older.entry(&second, KeyPresent)}},
			want:    []string{"install future MY for web with key"},
		},
		{
			name:    "certificates of other tools and owners are never removed",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle(), HistoryLimit: limit(0)},
			entries: map[Ref][]Entry{my: {older.entry(nil, KeyPresent), oldest.entry(&other, KeyPresent)}},
			want:    []string{"install current MY for web with key"},
		},
		{
			name:    "nor those that are still bound",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle(), HistoryLimit: limit(0)},
			entries: map[Ref][]Entry{my: {current.entry(&web, KeyPresent), older.entry(&second, KeyPresent), oldest.entry(&first, KeyPresent)}},
			bound:   map[string][]string{Thumbprint(older.certificate): {"0.0.0.0:443"}},
			want:    []string{"remove oldest MY after current", "keep older for 0.0.0.0:443"},
		},
		{
			name:    "a certificate that another ObservedCertificate uses passes to that one instead",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle(), HistoryLimit: limit(0)},
			entries: map[Ref][]Entry{my: {current.entry(&web, KeyPresent), older.entry(&second, KeyPresent)}},
			claimed: older,
			want:    []string{"update older MY for other version v Retain"},
		},
		{
			name:    "another access list does not change the key",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle(), Access: "D:P(A;;FA;;;S-1-5-18)"},
			entries: map[Ref][]Entry{my: {current.entry(&web, KeyPresent)}},
			want:    []string{"update current MY access D:P(A;;FA;;;S-1-5-18)"},
		},
		{
			name:    "a lost mark is written again where the key is Vaultpane's",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle()},
			entries: map[Ref][]Entry{my: {{Certificate: current.certificate, Thumbprint: Thumbprint(current.certificate), Key: KeyPresent, OwnKey: true}}},
			want:    []string{"install current MY for web with key"},
		},
		{
			name:    "with Retain, another store leaves the old store unchanged",
			desired: Desired{Mark: web, Ref: hosting, Bundle: current.bundle()},
			entries: map[Ref][]Entry{my: {current.entry(&web, KeyPresent)}},
			want:    []string{"install current WebHosting for web with key"},
		},
		{
			name:    "with Delete, the old store is emptied after the installation",
			desired: Desired{Mark: *with(web, func(m *Mark) { m.DeletionPolicy = "Delete" }), Ref: hosting, Bundle: current.bundle()},
			entries: map[Ref][]Entry{my: {current.entry(&web, KeyPresent), older.entry(&web, KeyPresent)}},
			want:    []string{"install current WebHosting for web with key", "remove current MY after current", "remove older MY after current"},
		},
		{
			name:    "two ObservedCertificates share a certificate",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle()},
			entries: map[Ref][]Entry{my: {current.entry(&other, KeyPresent)}},
		},
		{
			name:    "and repair it for each other",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle()},
			entries: map[Ref][]Entry{my: {current.entry(&other, KeyMissing)}},
			want:    []string{"install current MY for other with key"},
		},
		{
			name:     "of two with different key options the older one wins",
			desired:  Desired{Mark: *with(web, func(m *Mark) { m.Exportable = true }), Ref: my, Bundle: current.bundle()},
			entries:  map[Ref][]Entry{my: {current.entry(&other, KeyPresent)}},
			conflict: `the older ObservedCertificate "other"`,
		},
		{
			name:    "and the access lists are joined",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle(), SharedAccess: map[string]string{Thumbprint(current.certificate): "D:P(A;;FA;;;S-1-5-18)"}},
			entries: map[Ref][]Entry{my: {current.entry(&other, KeyPresent)}},
			want:    []string{"update current MY access D:P(A;;FA;;;S-1-5-18)"},
		},
		{
			name:    "also if the younger one was first",
			desired: Desired{Mark: *with(other, func(m *Mark) { m.Exportable = true }), Ref: my, Bundle: current.bundle()},
			entries: map[Ref][]Entry{my: {current.entry(&web, KeyPresent)}},
			want:    []string{"install current MY for other with key"},
		},
		{
			name:    "the certificate of a deleted owner gets a new owner",
			desired: Desired{Mark: web, Ref: my, Bundle: current.bundle()},
			entries: map[Ref][]Entry{my: {current.entry(with(web, func(m *Mark) { m.UID = "earlier-uid" }), KeyPresent)}},
			want:    []string{"update current MY for web version v Retain"},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			observed := Observed{Entries: test.entries, Owners: owners, Bound: test.bound}
			if test.claimed != nil {
				observed.Claims.Add(my, Thumbprint(test.claimed.certificate), other)
			}
			actions, err := Plan(test.desired, observed, now)
			var conflict *Conflict
			if errors.As(err, &conflict) != (test.conflict != "") || (conflict != nil && !strings.Contains(conflict.Message, test.conflict)) {
				t.Fatalf("got error %v, want a conflict that says %q", err, test.conflict)
			}
			if diff := cmp.Diff(test.want, words(actions, names)); diff != "" {
				t.Errorf("plan differs (-want +got):\n%s", diff)
			}
		})
	}
}

// TestPlanNeverRemovesTheLastValidCertificate applies random plans to random stores and checks after each action that a node with a
// valid certificate of this owner still has one.
func TestPlanNeverRemovesTheLastValidCertificate(t *testing.T) {
	var leaves []*issued
	for month := range 8 {
		leaves = append(leaves, issue(t, "web", now.AddDate(0, -5+month, 0), now.AddDate(0, -3+month, 0), false, nil))
	}
	random := mathrand.New(mathrand.NewPCG(1, 2))
	trimmed := 0
	for range 5000 {
		state := map[string]Entry{}
		mark := markOf("web")
		for version, leaf := range leaves {
			if random.IntN(2) == 0 {
				key := []KeyState{KeyPresent, KeyMissing}[random.IntN(2)]
				own := mark
				own.Version = fmt.Sprint(version)
				entry := leaf.entry(&own, key)
				state[entry.Thumbprint] = entry
			}
		}
		limit := int32(random.IntN(3))
		desired := Desired{Mark: mark, Ref: my, Bundle: leaves[random.IntN(len(leaves))].bundle(), HistoryLimit: &limit}
		var entries []Entry
		for _, entry := range state {
			entries = append(entries, entry)
		}
		had := anyValid(state)
		actions, err := Plan(desired, Observed{Entries: map[Ref][]Entry{my: entries}, Owners: map[string]Owner{"web-uid": {}}}, now)
		if err != nil {
			t.Fatal(err)
		}
		for _, action := range actions {
			switch step := action.(type) {
			case *Install:
				thumbprint := Thumbprint(step.Item.Certificate)
				state[thumbprint] = Entry{Certificate: step.Item.Certificate, Thumbprint: thumbprint, Mark: &mark, Key: KeyPresent}
			case *Remove:
				delete(state, step.Thumbprint)
				trimmed++
			}
			if had && !anyValid(state) {
				t.Fatalf("after %T the store has no valid certificate, and it had one", action)
			}
		}
	}
	if trimmed == 0 {
		t.Fatal("no plan removed anything, so the test is void")
	}
}

func anyValid(state map[string]Entry) bool {
	for _, entry := range state {
		if entry.Key == KeyPresent && validAt(entry.Certificate, now) {
			return true
		}
	}
	return false
}

func TestPlanOrphans(t *testing.T) {
	leaf := leafFrom(t, now.AddDate(0, -1, 0))
	names := map[string]string{Thumbprint(leaf.certificate): "leaf", "": "nothing"}
	gone := markOf("gone")
	deleting := gone
	deleting.DeletionPolicy = "Delete"
	chain := deleting
	chain.Role = RoleIntermediate
	claimed := Claims{}
	claimed.Add(Ref{LocalMachine, "my"}, Thumbprint(leaf.certificate), markOf("claimer"))
	awaited := Claims{}
	awaited.Await(my, "source")
	deleting.Source = "source"

	tests := []struct {
		name   string
		entry  Entry
		kept   map[string]bool
		claims Claims
		want   []string
	}{
		{"Retain leaves the certificate", leaf.entry(&gone, KeyPresent), nil, Claims{}, nil},
		{"Delete removes it", leaf.entry(&deleting, KeyPresent), nil, Claims{}, []string{"remove leaf MY after nothing"}},
		{"unless another may need it", leaf.entry(&deleting, KeyPresent), nil, awaited, nil},
		{"one whose owner targets the node stays", leaf.entry(&deleting, KeyPresent), map[string]bool{"gone-uid": true}, Claims{}, nil},
		{"one that another uses passes to that one", leaf.entry(&deleting, KeyPresent), nil, claimed, []string{"update leaf MY for claimer version v Retain"}},
		{"one without a mark is never changed", leaf.entry(nil, KeyPresent), nil, Claims{}, nil},
		{"intermediates follow PlanUnneeded", leaf.entry(&chain, KeyNone), nil, Claims{}, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			actions := PlanOrphans(Observed{Entries: map[Ref][]Entry{my: {test.entry}}}, test.kept, test.claims)
			if diff := cmp.Diff(test.want, words(actions, names)); diff != "" {
				t.Errorf("plan differs (-want +got):\n%s", diff)
			}
		})
	}
}
