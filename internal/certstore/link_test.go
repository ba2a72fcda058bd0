package certstore

import (
	"crypto/x509"
	"net"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// named returns a leaf with DNS names that is some months old.
func named(t testing.TB, months int, names ...string) *issued {
	t.Helper()
	leaf := leafFrom(t, now.AddDate(0, -months, 0))
	leaf.certificate.DNSNames = names // which the plan reads without checking the signature
	return leaf
}

func TestLinks(t *testing.T) {
	first, second, third := named(t, 3, "a.example", "b.example"), named(t, 2, "a.example"), named(t, 1, "A.example", "b.example", "c.example")
	narrow := named(t, 1, "a.example")
	elsewhere := named(t, 4, "a.example")
	names := map[string]string{"": "nothing"}
	for name, one := range map[string]*issued{"first": first, "second": second, "third": third, "narrow": narrow, "elsewhere": elsewhere} {
		names[Thumbprint(one.certificate)] = name
	}
	web, other := markOf("web"), markOf("other")
	linked := func(entry Entry, to *issued) Entry {
		entry.Successor = Thumbprint(to.certificate)
		return entry
	}
	opened := func(entry Entry, readers ...string) Entry {
		entry.Access = KeyAccess(LocalMachine, readers)
		return entry
	}
	present := func(one *issued) Entry { return one.entry(&web, KeyPresent) }

	tests := []struct {
		name    string
		current *issued
		link    bool
		access  string
		entries []Entry
		want    []string
	}{
		{name: "every predecessor is linked directly to the current version", current: third, link: true,
			entries: []Entry{present(first), linked(present(second), first), present(third)},
			want:    []string{"link first to third", "link second to third"}},
		{name: "an existing link needs no action", current: third, link: true,
			entries: []Entry{linked(present(first), third), present(third)}},
		{name: "a predecessor with another name is not linked", current: narrow, link: true,
			entries: []Entry{present(first), present(narrow)}},
		{name: "and its existing link is removed", current: narrow, link: true,
			entries: []Entry{linked(present(first), narrow), present(narrow)}, want: []string{"link first to nothing"}},
		{name: "a predecessor with a reader that the current version does not have is not linked", current: third, link: true,
			access: KeyAccess(LocalMachine, nil), entries: []Entry{opened(present(first), "S-1-5-20"), opened(present(third))}},
		{name: "a predecessor whose readers the current version has is linked", current: third, link: true,
			access: KeyAccess(LocalMachine, []string{"S-1-5-20"}), entries: []Entry{opened(present(first)), opened(present(third), "S-1-5-20")},
			want: []string{"link first to third"}},
		{name: "after a roll-back the newer version is not linked, and the current version has no link", current: first, link: true,
			entries: []Entry{linked(present(first), third), present(third)}, want: []string{"link first to nothing"}},
		{name: "without linkOnRenewal nothing is linked", current: third, entries: []Entry{present(first), present(third)}},
		{name: "and existing links are removed", current: third, entries: []Entry{linked(present(first), third), present(third)},
			want: []string{"link first to nothing"}},
		{name: "but not another tool's link to its own certificate", current: third,
			entries: []Entry{linked(present(first), elsewhere), present(third)}},
		{name: "certificates of other owners are never linked", current: third, link: true,
			entries: []Entry{first.entry(&other, KeyPresent), second.entry(nil, KeyPresent), present(third)}},
		{name: "nor to certificates of other owners", current: third, link: true, entries: []Entry{present(first), third.entry(nil, KeyPresent)}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			desired := Desired{Mark: web, Ref: my, Bundle: test.current.bundle(), Link: test.link, Access: test.access}
			got := planLinks(desired, Observed{Entries: map[Ref][]Entry{my: test.entries}})
			if diff := cmp.Diff(sorted(test.want), sorted(words(got, names))); diff != "" {
				t.Errorf("links differ (-want +got):\n%s", diff)
			}
		})
	}
}

func TestALinkComesAfterTheInstallationAndBeforeTheRemoval(t *testing.T) {
	first, second := named(t, 2, "a.example"), named(t, 1, "a.example")
	names := map[string]string{Thumbprint(first.certificate): "first", Thumbprint(second.certificate): "second", "": "nothing"}
	web, older := markOf("web"), markOf("web")
	older.Version = "v0"
	none := int32(0)
	actions, err := Plan(Desired{Mark: web, Ref: my, Bundle: second.bundle(), Link: true, HistoryLimit: &none},
		Observed{Entries: map[Ref][]Entry{my: {first.entry(&older, KeyPresent)}}}, now)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"install second MY for web with key", "link first to second", "remove first MY after second"}
	if diff := cmp.Diff(want, words(actions, names)); diff != "" {
		t.Errorf("plan differs (-want +got):\n%s", diff)
	}
}

func TestCoversNames(t *testing.T) {
	tests := []struct {
		name          string
		current, then x509.Certificate
		want          bool
	}{
		{"the same names", x509.Certificate{DNSNames: []string{"a", "b"}}, x509.Certificate{DNSNames: []string{"b", "a"}}, true},
		{"a wildcard covers one label", x509.Certificate{DNSNames: []string{"*.a.example"}}, x509.Certificate{DNSNames: []string{"x.a.example"}}, true},
		{"but not two", x509.Certificate{DNSNames: []string{"*.example"}}, x509.Certificate{DNSNames: []string{"x.a.example"}}, false},
		{"nor the domain itself", x509.Certificate{DNSNames: []string{"*.a.example"}}, x509.Certificate{DNSNames: []string{"a.example"}}, false},
		{"a name does not cover a wildcard", x509.Certificate{DNSNames: []string{"x.a.example"}}, x509.Certificate{DNSNames: []string{"*.a.example"}}, false},
		{"a wildcard covers itself", x509.Certificate{DNSNames: []string{"*.a.example"}}, x509.Certificate{DNSNames: []string{"*.a.example"}}, true},
		{"an address is a name too", x509.Certificate{}, x509.Certificate{IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1)}}, false},
		{"in either length", x509.Certificate{IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1).To4()}}, x509.Certificate{IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1)}}, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := len(missingNames(&test.current, &test.then)) == 0; got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
	without := x509.Certificate{}
	without.Subject.CommonName = "web"
	if len(missingNames(&x509.Certificate{DNSNames: []string{"other"}}, &without)) == 0 {
		t.Error("a common name counts as a name, and other names do not cover it")
	}
	after := x509.Certificate{DNSNames: []string{"web.example"}}
	after.Subject.CommonName = "web"
	if missing := missingNames(&after, &without); len(missing) > 0 {
		t.Errorf("the same common name with additional DNS names is missing %v", missing)
	}
}
