package certstore

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// lines returns findings as short lines: severity, reason, store, certificate and owner.
func lines(findings []Finding, names map[string]string) []string {
	var short []string
	for _, f := range findings {
		short = append(short, strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", f.Severity, f.Reason, f.Ref.Name, names[f.Thumbprint], f.Owner)))
	}
	return short
}

func TestVerify(t *testing.T) {
	year := 365 * 24 * time.Hour
	root := issue(t, "root", now.Add(-year), now.Add(year), true, nil)
	upper := issue(t, "upper", now.Add(-year), now.Add(year), true, root)
	span := func(name string, from, to time.Duration) *issued {
		return issue(t, name, now.Add(from), now.Add(to), false, upper)
	}
	day := 24 * time.Hour
	first, second := span("first", -60*day, 60*day), span("second", -30*day, 90*day)
	expired, early, ending := span("expired", -90*day, -day), span("early", day, 90*day), span("ending", -60*day, 29*day)
	alone := issue(t, "alone", now.Add(-day), now.Add(year), false, nil)
	own := issue(t, "own", now.Add(-day), now.Add(year), false, nil)
	deadRoot := issue(t, "dead root", now.Add(-year), now.Add(-day), true, nil)
	names := map[string]string{}
	for name, one := range map[string]*issued{
		"root": root, "upper": upper, "first": first, "second": second, "expired": expired, "early": early, "ending": ending,
		"alone": alone, "own": own, "dead root": deadRoot,
	} {
		names[Thumbprint(one.certificate)] = name
	}

	web, chain, trusted := markOf("web"), markOf("web").inRole(RoleIntermediate), markOf("roots").inRole(RoleTrusted)
	newer := web
	newer.Version = "w"
	access := KeyAccess(LocalMachine, []string{"S-1-5-20"})
	entry := func(one *issued, mark *Mark, change ...func(*Entry)) Entry {
		e := one.entry(mark, KeyPresent)
		e.OwnKey, e.Access = true, access
		for _, change := range change {
			change(&e)
		}
		return e
	}
	without := func(e *Entry) { e.Key, e.OwnKey = KeyMissing, true }
	linked := func(to *issued) func(*Entry) {
		return func(e *Entry) { e.Successor = Thumbprint(to.certificate) }
	}
	public := func(one *issued, mark *Mark) Entry { return one.entry(mark, KeyNone) }
	foreign := func(one *issued, change ...func(*Entry)) Entry {
		return entry(one, nil, append(change, func(e *Entry) { e.OwnKey = false })...)
	}

	rootStore := Ref{LocalMachine, "Root"}
	tests := []struct {
		name     string
		my       []Entry
		ca, root []Entry
		want     []string
	}{
		{name: "an empty machine has no findings"},
		{name: "a certificate with key and chain has no findings", my: []Entry{entry(first, &web)}, ca: []Entry{public(upper, &chain)}},
		{name: "an expired certificate is a failure", my: []Entry{entry(expired, &web)}, want: []string{"failure Expired MY expired web"}},
		{name: "but not a superseded version", my: []Entry{entry(expired, &web), entry(second, &newer)},
			want: []string{"note Expired MY expired web"}},
		{name: "unless the newer version has no key", my: []Entry{entry(expired, &web), entry(second, &newer, without)},
			want: []string{"failure KeyMissing MY second web", "failure Expired MY expired web"}},
		{name: "a certificate that is not valid yet is a failure", my: []Entry{entry(early, &web)}, want: []string{"failure NotYetValid MY early web"}},
		{name: "a certificate that expires within 30 days is a note", my: []Entry{entry(ending, &web)}, want: []string{"note ExpiringSoon MY ending web"}},
		{name: "a missing key is a failure", my: []Entry{entry(first, &web, without)}, want: []string{"failure KeyMissing MY first web"}},
		{name: "so is a leaf without any key", my: []Entry{entry(first, &web, func(e *Entry) { e.Key, e.OwnKey = KeyNone, false })},
			want: []string{"failure KeyMissing MY first web"}},
		{name: "a missing key of a superseded version is a warning", my: []Entry{entry(first, &web, without), entry(second, &newer)},
			want: []string{"warning KeyMissing MY first web"}},
		{name: "a mark of another version is a failure", my: []Entry{entry(first, nil, func(e *Entry) { e.UnknownMark = true })},
			want: []string{"failure MarkUnknown MY first"}},
		{name: "a lost mark is found by the key", my: []Entry{entry(first, nil)}, want: []string{"failure MarkLost MY first"}},
		{name: "another access list is a failure", my: []Entry{entry(first, &web, func(e *Entry) { e.Access = "D:P(A;;FA;;;S-1-1-0)" })},
			want: []string{"failure KeyRights MY first web"}},
		{name: "the access list of another tool's key is not", my: []Entry{entry(first, &web, func(e *Entry) { e.Access, e.OwnKey = "", false })}},
		{name: "a link to a valid certificate with a key has no findings", my: []Entry{entry(first, &web, linked(second)), entry(second, &newer)}},
		{name: "a link to a certificate that is not in the store is a failure", my: []Entry{entry(first, &web, linked(second))},
			want: []string{"failure LinkBroken MY first web"}},
		{name: "so is a link to one without a key", my: []Entry{entry(first, &web, linked(second)), foreign(second, without, func(e *Entry) { e.Key = KeyNone })},
			want: []string{"failure LinkBroken MY first web"}},
		{name: "so is a link to one that is not valid", my: []Entry{entry(first, &web, linked(early)), foreign(early)},
			want: []string{"failure LinkBroken MY first web"}},
		{name: "a link cycle is a failure of the certificates in the cycle",
			my:   []Entry{entry(first, &web, linked(second)), entry(second, &newer, linked(first)), entry(ending, &web, linked(first))},
			want: []string{"failure LinkCycle MY first web", "failure LinkCycle MY second web"}},
		{name: "so is a link to the certificate itself", my: []Entry{entry(first, &web, linked(first))}, want: []string{"failure LinkCycle MY first web"}},
		{name: "an unneeded intermediate is a note", my: []Entry{entry(alone, &web)}, ca: []Entry{public(upper, &chain)},
			want: []string{"note IntermediateUnneeded CA upper web"}},
		{name: "also if it has expired", ca: []Entry{public(deadRoot, &chain)}, want: []string{"note IntermediateUnneeded CA dead root web"}},
		{name: "a superseded leaf does not need its issuer", my: []Entry{entry(first, &web), entry(own, &newer)}, ca: []Entry{},
			want: []string{"note LinkDeclined MY first web"}}, // "own" does not have its name
		{name: "a leaf without its issuer is a warning", my: []Entry{entry(first, &web)}, ca: []Entry{}, root: []Entry{public(root, nil)},
			want: []string{"warning IssuerMissing MY first web"}},
		{name: "a trusted root needs no key, and must be valid", root: []Entry{public(root, &trusted), public(deadRoot, &trusted)},
			want: []string{"failure Expired Root dead root roots"}},
		{name: "another tool's certificates have no findings", my: []Entry{foreign(expired, linked(second), without, func(e *Entry) { e.Key = KeyMissing })}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			entries := map[Ref][]Entry{my: test.my, ca: test.ca, rootStore: test.root}
			if test.ca == nil {
				entries[ca] = []Entry{public(upper, nil)}
			}
			got := Verify(entries, now)
			if diff := cmp.Diff(sorted(test.want), sorted(lines(got, names))); diff != "" {
				t.Errorf("findings differ (-want +got):\n%s", diff)
			}
			for _, f := range got {
				if f.Message == "" || f.Remedy == "" {
					t.Errorf("%s has no message or no remedy: %+v", f.Reason, f)
				}
			}
		})
	}
}

func TestTheWorstFindingsComeFirst(t *testing.T) {
	expired := issue(t, "expired", now.AddDate(-1, 0, 0), now.AddDate(0, 0, -1), false, nil)
	ending := issue(t, "ending", now.AddDate(-1, 0, 0), now.AddDate(0, 0, 1), false, nil)
	a, b := markOf("a"), markOf("b")
	good := func(one *issued, mark *Mark) Entry {
		e := one.entry(mark, KeyPresent)
		e.OwnKey, e.Access = true, KeyAccess(LocalMachine, nil)
		return e
	}
	got := Verify(map[Ref][]Entry{my: {good(ending, &a), good(expired, &b)}}, now)
	want := []string{"failure Expired MY expired b", "note ExpiringSoon MY ending a"}
	names := map[string]string{Thumbprint(expired.certificate): "expired", Thumbprint(ending.certificate): "ending"}
	if diff := cmp.Diff(want, lines(got, names)); diff != "" {
		t.Errorf("findings differ (-want +got):\n%s", diff)
	}
}

// Users see the machine's stores in addition to their own.
func TestAnIssuerOfTheMachineCountsForAUser(t *testing.T) {
	root := issue(t, "root", now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0), true, nil)
	leaf := issue(t, "leaf", now.AddDate(-1, 0, 0), now.AddDate(1, 0, 0), false, root)
	mark := markOf("web")
	for location, want := range map[Location]int{LocalMachine: 0, CurrentUser: 1} {
		held := map[Ref][]Entry{
			{location, "AuthRoot"}:  {root.entry(nil, KeyNone)},
			{CurrentUser, "MY"}:     {leaf.entry(&mark, KeyPresent)},
			{LocalMachine, "MY"}:    {leaf.entry(&mark, KeyPresent)},
			{LocalMachine, "Trust"}: {root.entry(nil, KeyNone)},
		}
		missing := 0
		for _, f := range Verify(held, now) {
			if f.Reason == ReasonIssuerMissing {
				missing++
			}
		}
		if missing != want {
			t.Errorf("with the issuer in %s, %d leaves have no issuer, want %d", location, missing, want)
		}
	}
}

func TestAccessFailure(t *testing.T) {
	const full = "(A;;FA;;;S-1-5-18)(A;;FA;;;S-1-5-32-544)"
	const user = "(A;;FA;;;S-1-5-21-1-2-3-1001)"
	tests := []struct {
		name     string
		location Location
		list     string
		want     string // empty if the list is correct
	}{
		{"SYSTEM and Administrators alone", LocalMachine, "D:P" + full, ""},
		{"with readers", LocalMachine, KeyAccess(LocalMachine, []string{"S-1-5-20", "S-1-5-80-1-2"}), ""},
		{"in any order", LocalMachine, "D:P(A;;FR;;;S-1-5-20)(A;;FA;;;S-1-5-32-544)(A;;FA;;;S-1-5-18)", ""},
		{"an unknown list", LocalMachine, "", "cannot be read"},
		{"no access control", LocalMachine, "D:NO_ACCESS_CONTROL", "entries that Vaultpane does not write"},
		{"an inherited entry", LocalMachine, "D:P" + full + "(0;16;FR;;;S-1-5-20)", "inherited or denied"},
		{"a denial", LocalMachine, "D:P(1;0;FA;;;S-1-5-20)" + full, "inherited or denied"},
		{"Everyone, even with read access", LocalMachine, "D:P" + full + "(A;;FR;;;S-1-1-0)", "Everyone can use"},
		{"Users", LocalMachine, "D:P" + full + "(A;;FR;;;S-1-5-32-545)", "Users can use"},
		{"an account with full access", LocalMachine, "D:P" + full + "(A;;FA;;;S-1-5-20)", "S-1-5-20 has more than read access"},
		{"an account with another right", LocalMachine, "D:P" + full + "(A;;0x12019f;;;S-1-5-20)", "0x12019f"},
		{"without Administrators", LocalMachine, "D:P(A;;FA;;;S-1-5-18)", "do not both have"},
		{"Administrators with read access only", LocalMachine, "D:P(A;;FA;;;S-1-5-18)(A;;FR;;;S-1-5-32-544)", "do not both have"},
		{"a user's key as Windows makes it", CurrentUser, "D:P" + full + user, ""},
		{"a user's key as Vaultpane writes it", CurrentUser, KeyAccess(CurrentUser, []string{"S-1-5-20"}), ""},
		{"a user's key with the store's default", CurrentUser, "", ""},
		{"a user's key for Everyone", CurrentUser, "D:P" + full + "(A;;FR;;;S-1-1-0)", "Everyone can use"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := accessFailure(test.location, test.list)
			if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
				t.Errorf("got %q, want %q in it", got, test.want)
			}
		})
	}
}
