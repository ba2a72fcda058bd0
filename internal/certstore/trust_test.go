package certstore

import (
	"crypto/x509"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/internal/bundle"
)

func TestHoldsTrust(t *testing.T) {
	for name, want := range map[string]bool{
		"Root": true, "ROOT": true, "ca": true, "TrustedPeople": true, "TrustedPublisher": true, "MY": false, "WebHosting": false, "Roots": false,
	} {
		if got := HoldsTrust(Ref{LocalMachine, name}); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestTrusted(t *testing.T) {
	from, to := now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)
	root := issue(t, "root", from, to, true, nil)
	inter := issue(t, "inter", from, to, true, root)
	leaf := issue(t, "leaf", from, to, false, inter)
	alone1 := issue(t, "alone", from, to, false, nil)
	alone := &bundle.Bundle{Leaf: inter.certificate, Chain: []*x509.Certificate{root.certificate}}
	tests := []struct {
		name   string
		store  string
		secret *bundle.Bundle
		want   []*x509.Certificate
	}{
		{"Root receives the roots of a secret with a key", "root", leaf.bundle(inter, root), []*x509.Certificate{root.certificate}},
		{"CA receives its authorities", "CA", leaf.bundle(inter, root), []*x509.Certificate{inter.certificate, root.certificate}},
		{"TrustedPeople receives the leaf", "TrustedPeople", leaf.bundle(inter, root), []*x509.Certificate{leaf.certificate}},
		{"all certificates of a secret without a key", "Root", alone, []*x509.Certificate{inter.certificate, root.certificate}},
		{"a secret without a root has nothing for Root", "Root", leaf.bundle(inter), nil},
		{"Root receives a self-signed leaf", "Root", alone1.bundle(), []*x509.Certificate{alone1.certificate}},
		{"a secret without an authority has nothing for CA", "CA", leaf.bundle(), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := Trusted(Ref{LocalMachine, test.store}, test.secret)
			var failure *bundle.Error
			if (test.want == nil) != errors.As(err, &failure) {
				t.Fatalf("got error %v", err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestPlanTrusted(t *testing.T) {
	from, to := now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0)
	old, first, second := issue(t, "old", from.AddDate(-1, 0, 0), to, true, nil), issue(t, "first", from, to, true, nil), issue(t, "second", from, to, true, nil)
	names := map[string]string{}
	for name, one := range map[string]*issued{"old": old, "first": first, "second": second} {
		names[Thumbprint(one.certificate)] = name
	}
	store := Ref{LocalMachine, "Root"}
	trust, other := markOf("trust").inRole(RoleTrusted), markOf("other").inRole(RoleTrusted)
	earlier, passing := trust, markOf("other").inRole(RoleIntermediate)
	earlier.Version = "v0"
	none := int32(0)
	owners := map[string]Owner{"other-uid": {"other", now}}

	tests := []struct {
		name    string
		limit   *int32
		entries []Entry
		want    []string
	}{
		{name: "all of them are installed, without a key", want: []string{"install first Root for trust", "install second Root for trust"}},
		{name: "existing certificates are used, whichever tool installed them", entries: []Entry{first.entry(nil, KeyNone), second.entry(&other, KeyNone)}},
		{name: "an intermediate gets a new owner", entries: []Entry{first.entry(&trust, KeyNone), second.entry(&passing, KeyNone)},
			want: []string{"update second Root for trust version v Retain"}},
		{name: "a superseded version stays without a limit", entries: []Entry{first.entry(&trust, KeyNone), second.entry(&trust, KeyNone), old.entry(&earlier, KeyNone)}},
		{name: "and is removed with one, after the installation", limit: &none, entries: []Entry{old.entry(&earlier, KeyNone)},
			want: []string{"install first Root for trust", "install second Root for trust", "remove old Root after first"}},
		{name: "a certificate of both versions stays", limit: &none, entries: []Entry{first.entry(&earlier, KeyNone), second.entry(&trust, KeyNone)},
			want: []string{"update first Root for trust version v Retain"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			desired := Desired{Mark: trust, Ref: store, Trusted: []*x509.Certificate{first.certificate, second.certificate}, HistoryLimit: test.limit}
			got, err := Plan(desired, Observed{Entries: map[Ref][]Entry{store: test.entries}, Owners: owners}, now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, words(got, names)); diff != "" {
				t.Errorf("plan differs (-want +got):\n%s", diff)
			}
		})
	}
	_, err := Plan(Desired{Mark: trust, Ref: store, Trusted: []*x509.Certificate{first.certificate}},
		Observed{Entries: map[Ref][]Entry{store: {{Certificate: first.certificate, Thumbprint: Thumbprint(first.certificate), UnknownMark: true}}}}, now)
	var conflict *Conflict
	if !errors.As(err, &conflict) {
		t.Errorf("a mark of another version: got %v, want a conflict", err)
	}
}
