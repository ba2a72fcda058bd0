package certstore

import (
	"crypto/rand"
	"crypto/x509"
	"math/big"
	mathrand "math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/internal/bundle"
)

func TestPlanUnneeded(t *testing.T) {
	from, to := now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)
	root := issue(t, "root", from, to, true, nil)
	upper := issue(t, "upper", from, to, true, root)
	lower := issue(t, "lower", from, to, true, upper)
	leaf := issue(t, "leaf", from, to, false, lower)
	older := issue(t, "older", from, to, false, lower)
	older.certificate.SignatureAlgorithm = x509.MD5WithRSA // Go verifies no such signature
	stranger := issue(t, "stranger", from, to, false, nil)
	names := map[string]string{"": "nothing"}
	for name, one := range map[string]*issued{"upper": upper, "lower": lower, "leaf": leaf} {
		names[Thumbprint(one.certificate)] = name
	}
	owner := markOf("web")
	chain := owner.inRole(RoleIntermediate)
	deleting := chain
	deleting.DeletionPolicy = "Delete"
	both := func(mark *Mark) []Entry { return []Entry{upper.entry(mark, KeyNone), lower.entry(mark, KeyNone)} }
	kept := map[string]bool{"web-uid": true}
	elsewhere := Ref{CurrentUser, "MY"}

	tests := []struct {
		name    string
		entries map[Ref][]Entry
		kept    map[string]bool
		want    []string
	}{
		{"a leaf's intermediates stay, direct or not", map[Ref][]Entry{my: {leaf.entry(&owner, KeyPresent)}, ca: both(&deleting)}, kept, nil},
		{"also if the leaf is another tool's", map[Ref][]Entry{my: {leaf.entry(nil, KeyPresent)}, ca: both(&deleting)}, nil, nil},
		{"unneeded ones are removed with their owner", map[Ref][]Entry{ca: both(&deleting)}, nil,
			[]string{"remove lower CA after nothing", "remove upper CA after nothing"}},
		{"they stay if Go does not support the leaf's signature", map[Ref][]Entry{my: {older.entry(&owner, KeyPresent)}, ca: both(&deleting)}, kept, nil},
		{"with Retain they stay", map[Ref][]Entry{ca: both(&chain)}, nil, nil},
		{"those of an owner with another leaf are removed", map[Ref][]Entry{my: {stranger.entry(&owner, KeyPresent)}, ca: both(&chain)}, kept,
			[]string{"remove lower CA after nothing", "remove upper CA after nothing"}},
		{"those of an owner without a leaf stay", map[Ref][]Entry{my: {stranger.entry(nil, KeyPresent)}, ca: both(&chain)}, kept, nil},
		{"a user's leaf needs intermediates of the machine", map[Ref][]Entry{elsewhere: {leaf.entry(&owner, KeyPresent)}, ca: both(&deleting)}, nil, nil},
		{"a leaf of the machine needs no intermediates of a user", map[Ref][]Entry{my: {leaf.entry(&owner, KeyPresent)}, {CurrentUser, "CA"}: both(&deleting)}, nil,
			[]string{"remove lower CA after nothing", "remove upper CA after nothing"}},
		{"a certificate that cannot be parsed may need any", map[Ref][]Entry{my: {{Certificate: &x509.Certificate{Raw: []byte("odd")}}}, ca: both(&deleting)}, nil, nil},
		{"those of another tool stay", map[Ref][]Entry{ca: both(nil)}, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := PlanUnneeded(Observed{Entries: test.entries}, test.kept, now)
			if diff := cmp.Diff(test.want, sorted(words(got, names))); diff != "" {
				t.Errorf("plan differs (-want +got):\n%s", diff)
			}
		})
	}
}

// reissued issues another certificate for the same key.
func reissued(t testing.TB, one *issued, from, to time.Time, issuer *issued) *issued {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(mathrand.Int64()), Subject: one.certificate.Subject, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true,
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, issuer.certificate, &one.key.PublicKey, issuer.key)
	if err != nil {
		t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &issued{certificate, one.key}
}

func TestAnExpiredIntermediateIsRemovedWhenAnotherReplacesIt(t *testing.T) {
	from, to, yesterday := now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0), now.AddDate(0, 0, -1)
	root := issue(t, "root", from, to, true, nil)
	before := issue(t, "inter", from, yesterday, true, root)
	after := reissued(t, before, from, to, root)
	leaf, expired := issue(t, "leaf", from, to, false, before), issue(t, "leaf", from, yesterday, false, before)
	names := map[string]string{"": "nothing", Thumbprint(before.certificate): "before", Thumbprint(after.certificate): "after"}
	owner := markOf("web")
	chain := owner.inRole(RoleIntermediate)
	removed := []string{"remove before CA after nothing"}
	tests := []struct {
		name   string
		my, ca []Entry
		now    time.Time
		want   []string
	}{
		{"with its successor in the store", []Entry{leaf.entry(&owner, KeyPresent)}, []Entry{before.entry(&chain, KeyNone), after.entry(&chain, KeyNone)}, now, removed},
		{"also if another tool installed the successor", []Entry{leaf.entry(&owner, KeyPresent)}, []Entry{before.entry(&chain, KeyNone), after.entry(nil, KeyNone)}, now, removed},
		{"not without one", []Entry{leaf.entry(&owner, KeyPresent)}, []Entry{before.entry(&chain, KeyNone)}, now, nil},
		{"not another tool's", []Entry{leaf.entry(&owner, KeyPresent)}, []Entry{before.entry(nil, KeyNone), after.entry(&chain, KeyNone)}, now, nil},
		{"if only expired versions need it", []Entry{expired.entry(&owner, KeyPresent), issue(t, "leaf", from, to, false, root).entry(&owner, KeyPresent)},
			[]Entry{before.entry(&chain, KeyNone)}, now, removed},
		{"not if another tool's leaf needs it, expired or not", []Entry{expired.entry(nil, KeyPresent), issue(t, "leaf", from, to, false, root).entry(&owner, KeyPresent)},
			[]Entry{before.entry(&chain, KeyNone)}, now, nil},
		{"not if the clock is years ahead", []Entry{leaf.entry(&owner, KeyPresent)}, []Entry{before.entry(&chain, KeyNone), after.entry(&chain, KeyNone)}, now.AddDate(10, 0, 0), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			observed := Observed{Entries: map[Ref][]Entry{my: test.my, ca: test.ca}}
			got := words(PlanUnneeded(observed, map[string]bool{"web-uid": true}, test.now), names)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("plan differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnExpiredIntermediateIsNotInstalled(t *testing.T) {
	from, to := now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)
	root := issue(t, "root", from, to, true, nil)
	inter := issue(t, "inter", from, now.AddDate(0, 0, -1), true, root)
	leaf := issue(t, "leaf", from, to, false, inter)
	names := map[string]string{Thumbprint(inter.certificate): "inter", Thumbprint(leaf.certificate): "leaf"}
	actions, err := Plan(Desired{Mark: markOf("web"), Ref: my, Bundle: leaf.bundle(inter)}, Observed{}, now)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"install leaf MY for web with key"}, words(actions, names)); diff != "" {
		t.Errorf("plan differs (-want +got):\n%s", diff)
	}
}

// When a root's key is rolled over, the old key certifies the new one under the same name.
func TestACrossCertificateIsAnIntermediateAndNotARoot(t *testing.T) {
	from, to := now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)
	before, after := issue(t, "root", from, to, true, nil), issue(t, "root", from, to, true, nil)
	cross := reissued(t, after, from, to, before)
	leaf := issue(t, "leaf", from, to, false, after)
	names := map[string]string{Thumbprint(before.certificate): "before", Thumbprint(after.certificate): "after", Thumbprint(cross.certificate): "cross", Thumbprint(leaf.certificate): "leaf"}
	actions, err := Plan(Desired{Mark: markOf("web"), Ref: my, Bundle: leaf.bundle(cross, after, before)}, Observed{}, now)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"install cross CA for web", "install leaf MY for web with key"}
	if diff := cmp.Diff(want, words(actions, names)); diff != "" {
		t.Errorf("plan differs (-want +got):\n%s", diff)
	}
	root := Ref{LocalMachine, "Root"}
	anchors := []*x509.Certificate{after.certificate, before.certificate}
	served := leaf.bundle(cross, after, before)
	alone := &bundle.Bundle{Leaf: cross.certificate, Chain: anchors}
	for name, secret := range map[string]*bundle.Bundle{"a secret with a key": served, "a secret without a key": alone} {
		got, err := Trusted(root, secret)
		if diff := cmp.Diff(anchors, got); err != nil || diff != "" {
			t.Errorf("certificates for Root of %s (-want +got):\n%s\n%v", name, diff, err)
		}
	}
	chain := markOf("web").inRole(RoleIntermediate)
	own := markOf("web")
	needed := Observed{Entries: map[Ref][]Entry{my: {leaf.entry(&own, KeyPresent)}, ca: {cross.entry(&chain, KeyNone)}, root: {before.entry(nil, KeyNone)}}}
	if got := PlanUnneeded(needed, map[string]bool{"web-uid": true}, now); len(got) != 0 {
		t.Errorf("the cross-certificate is removed as unneeded: %v", words(got, names))
	}
}
