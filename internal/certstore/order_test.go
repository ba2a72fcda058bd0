package certstore

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// versions returns certificates with the same name and start of validity, in the vault's order.
func versions(t *testing.T, count int) (issuedAlike []*issued, marks []Mark) {
	t.Helper()
	for i := range count {
		mark := markOf("web")
		mark.Version, mark.Created = string(rune('z'-i)), int64(1000+i) // names in reverse order
		issuedAlike, marks = append(issuedAlike, leafFrom(t, now.AddDate(0, -1, 0))), append(marks, mark)
	}
	return issuedAlike, marks
}

func TestTheVaultsOrderDecidesIfTheValidityStartsAtTheSameTime(t *testing.T) {
	leaves, marks := versions(t, 4)
	names := map[string]string{"": "nothing"}
	for i, leaf := range leaves {
		names[Thumbprint(leaf.certificate)] = string(rune('1' + i))
	}
	var entries []Entry
	for i := range leaves[:3] {
		entries = append(entries, leaves[i].entry(&marks[i], KeyPresent))
	}
	one := int32(1)
	desired := Desired{Mark: marks[3], Ref: my, Bundle: leaves[3].bundle(), Link: true, HistoryLimit: &one}
	actions, err := Plan(desired, Observed{Entries: map[Ref][]Entry{my: entries}}, now)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"install 4 MY for web with key", "link 1 to 4", "link 2 to 4", "link 3 to 4", "remove 1 MY after 4", "remove 2 MY after 4"}
	if diff := cmp.Diff(want, sorted(words(actions, names))); diff != "" {
		t.Errorf("plan differs (-want +got):\n%s", diff)
	}
	entries = append(entries, leaves[3].entry(&marks[3], KeyPresent))
	for _, finding := range Verify(map[Ref][]Entry{my: entries}, now) {
		if finding.Thumbprint != Thumbprint(leaves[3].certificate) && finding.Severity == SeverityFailure {
			t.Errorf("a superseded version is a failure: %+v", finding)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	early, late := leafFrom(t, now.AddDate(0, -2, 0)), leafFrom(t, now.AddDate(0, -1, 0))
	made := func(at int64) *Mark { mark := markOf("web"); mark.Created = at; return &mark }
	tests := []struct {
		name string
		a, b Entry
		want int
	}{
		{"the version that the vault created later is newer, regardless of its validity", early.entry(made(2), KeyPresent), late.entry(made(1), KeyPresent), 1},
		{"a version without a creation time is older", early.entry(made(2), KeyPresent), late.entry(made(0), KeyPresent), 1},
		{"two versions with the same start have no known order", early.entry(made(0), KeyPresent), early.entry(made(0), KeyPresent), 0},
		{"without creation times the validity decides", late.entry(made(0), KeyPresent), early.entry(made(0), KeyPresent), 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := CompareVersions(test.a, test.b); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
			if got := CompareVersions(test.b, test.a); got != -test.want {
				t.Errorf("swapped: got %d, want %d", got, -test.want)
			}
		})
	}
}

func TestADeclinedLinkHasAReason(t *testing.T) {
	web := markOf("web")
	before, narrow, wide := named(t, 3, "a.example", "b.example", "c.example", "d.example", "e.example"), named(t, 1, "a.example"), named(t, 2, "a.example")
	opened := wide.entry(&web, KeyPresent)
	opened.Access = KeyAccess(LocalMachine, []string{"S-1-5-20"})
	current := narrow.entry(&web, KeyPresent)
	current.Access = KeyAccess(LocalMachine, nil)
	newer := named(t, 0, "a.example").entry(&web, KeyPresent)
	newer.Access = current.Access
	expired := issue(t, "web", now.AddDate(-2, 0, 0), now.AddDate(-1, 0, 0), false, nil).entry(&web, KeyPresent)
	desired := Desired{Mark: web, Ref: my, Link: true, Access: current.Access}
	tests := []struct {
		name  string
		entry Entry
		want  []string
	}{
		{"missing names", before.entry(&web, KeyPresent), []string{"the current version lacks b.example, c.example, d.example and 1 more names"}},
		{"a narrower access list", opened, []string{"accounts that may use its private key may not use that of the current version"}},
		{"a newer version, after a roll-back", newer, []string{"it is newer than the current version"}},
		{"an expired version is not in use any more", expired, nil},
		{"nor is one without a key", before.entry(&web, KeyMissing), nil},
		{"another tool's certificate is not linked", before.entry(nil, KeyPresent), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var got []string
			for _, declined := range DeclinedLinks(desired, current, Observed{Entries: map[Ref][]Entry{my: {current, test.entry}}}, now) {
				got = append(got, declined.Reason)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	desired.Link = false
	if got := DeclinedLinks(desired, current, Observed{Entries: map[Ref][]Entry{my: {current, opened}}}, now); got != nil {
		t.Errorf("without linkOnRenewal: %v", got)
	}
}

func TestASharedKeyHasTheUnionOfTheAccessLists(t *testing.T) {
	leaf := leafFrom(t, now.AddDate(0, -1, 0))
	thumbprint := Thumbprint(leaf.certificate)
	names := map[string]string{thumbprint: "leaf"}
	web, other := markOf("web"), markOf("other")
	mine, both := KeyAccess(LocalMachine, []string{"S-1-5-20"}), KeyAccess(LocalMachine, []string{"S-1-5-19", "S-1-5-20"})
	held := func(mark Mark, access string) Entry {
		entry := leaf.entry(&mark, KeyPresent)
		entry.OwnKey, entry.Access = true, access
		return entry
	}
	owners := map[string]Owner{"web-uid": {"web", now}, "other-uid": {"other", now.Add(-1)}}
	desired := Desired{Mark: web, Ref: my, Bundle: leaf.bundle(), Access: mine, SharedAccess: map[string]string{thumbprint: both}}
	tests := []struct {
		name    string
		entries map[Ref][]Entry
		want    []string
	}{
		{"installed with the union", map[Ref][]Entry{hosting: {held(other, KeyAccess(LocalMachine, nil))}}, []string{"install leaf MY for web with key"}},
		{"with the union, no action", map[Ref][]Entry{my: {held(web, both)}, hosting: {held(other, both)}}, nil},
		{"with its own list alone, the others' entries are added", map[Ref][]Entry{my: {held(web, mine)}}, []string{"update leaf MY access " + both}},
		{"in the same store, whichever owner installed it", map[Ref][]Entry{my: {held(other, mine)}}, []string{"update leaf MY access " + both}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			actions, err := Plan(desired, Observed{Entries: test.entries, Owners: owners}, now)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, words(actions, names)); diff != "" {
				t.Errorf("plan differs (-want +got):\n%s", diff)
			}
			for _, action := range actions {
				if install, ok := action.(*Install); ok && install.Item.Access != both {
					t.Errorf("installed with %s", install.Item.Access)
				}
			}
		})
	}
}
