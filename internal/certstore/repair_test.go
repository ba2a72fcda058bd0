package certstore

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func sorted(lines []string) []string {
	slices.Sort(lines)
	return lines
}

func TestRepair(t *testing.T) {
	predecessor, current := named(t, 2, "a.example"), named(t, 1, "a.example")
	names := map[string]string{Thumbprint(predecessor.certificate): "predecessor", Thumbprint(current.certificate): "current", "": "nothing"}
	web, other := markOf("web"), markOf("other")
	access := KeyAccess(LocalMachine, nil)
	as := func(mark *Mark, access string, own bool) Entry {
		entry := current.entry(mark, KeyPresent)
		entry.Access, entry.OwnKey = access, own
		return entry
	}
	missing := as(&web, "", true)
	missing.Key = KeyMissing
	unknown := as(nil, "", true)
	unknown.UnknownMark = true

	tests := []struct {
		name    string
		now     time.Time
		current Entry
		want    []string
	}{
		{"the desired state needs only its link", now, as(&web, access, true), []string{"link predecessor to current"}},
		{"a wrong access list is repaired", now, as(&web, "D:P(A;;FA;;;S-1-1-0)", true), []string{"link predecessor to current", "update current MY access " + access}},
		{"a lost mark is restored", now, as(nil, access, true), []string{"link predecessor to current", "update current MY for web version v Retain"}},
		{"another tool's certificate is not changed", now, as(nil, "", false), nil},
		{"nor another ObservedCertificate's", now, as(&other, "", true), nil},
		{"nor a later version's", now, unknown, nil},
		{"no link leads to an expired certificate", now.AddDate(2, 0, 0), as(&web, access, true), nil},
		{"nor to one that is not yet valid", now.AddDate(0, -3, 0), as(&web, access, true), nil},
		{"a missing key needs the vault", now, missing, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			before := predecessor.entry(&web, KeyPresent)
			before.Access = access
			observed := Observed{Entries: map[Ref][]Entry{my: {test.current, before}}}
			got := Repair(Desired{Mark: web, Ref: my, Access: access, Link: true}, &test.current, observed, test.now)
			if diff := cmp.Diff(test.want, sorted(words(got, names))); diff != "" {
				t.Errorf("actions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADeletionPolicyIsWrittenToAllMarks(t *testing.T) {
	superseded, current, intermediate := named(t, 2), named(t, 1), named(t, 9)
	names := map[string]string{Thumbprint(superseded.certificate): "superseded", Thumbprint(current.certificate): "current", Thumbprint(intermediate.certificate): "intermediate"}
	web := markOf("web")
	old, chain, other := web, web.inRole(RoleIntermediate), markOf("other")
	old.Version = "v0"
	entry := current.entry(&web, KeyPresent)
	observed := Observed{Entries: map[Ref][]Entry{
		my: {entry, superseded.entry(&old, KeyPresent)}, ca: {intermediate.entry(&chain, KeyNone), current.entry(&other, KeyNone)},
	}}
	desired := Desired{Mark: web, Ref: my}
	desired.Mark.DeletionPolicy = "Delete"
	want := []string{
		"update current MY for web version v Delete", "update intermediate CA for web version v Delete", "update superseded MY for web version v0 Delete",
	}
	if diff := cmp.Diff(want, sorted(words(Repair(desired, &entry, observed, now), names))); diff != "" {
		t.Errorf("with a current certificate (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want, sorted(words(Repair(desired, nil, observed, now), names))); diff != "" {
		t.Errorf("without one (-want +got):\n%s", diff)
	}
}

func TestSupersededVersionsHaveTheSameAccessList(t *testing.T) {
	superseded, current, keyless := named(t, 2, "a.example"), named(t, 1, "a.example"), named(t, 9)
	names := map[string]string{Thumbprint(superseded.certificate): "superseded", Thumbprint(current.certificate): "current", Thumbprint(keyless.certificate): "keyless"}
	web := markOf("web")
	old := web
	old.Version = "v0"
	narrow, wide := KeyAccess(LocalMachine, nil), KeyAccess(LocalMachine, []string{"S-1-5-20"})
	with := func(entry Entry, access string) Entry {
		entry.OwnKey, entry.Access = true, access
		return entry
	}
	entry := with(current.entry(&web, KeyPresent), wide)
	observed := Observed{Entries: map[Ref][]Entry{my: {entry, with(superseded.entry(&old, KeyPresent), wide), with(keyless.entry(&old, KeyMissing), wide)}}}

	want := []string{"update current MY access " + narrow, "update superseded MY access " + narrow}
	got := words(Repair(Desired{Mark: web, Ref: my, Access: narrow, Link: true}, &entry, observed, now), names)
	if diff := cmp.Diff(want, sorted(got)); diff != "" {
		t.Errorf("an account that is removed (-want +got):\n%s", diff)
	}
	if got := Repair(Desired{Mark: web, Ref: my, Access: narrow, AccessIncomplete: true}, &entry, observed, now); len(got) != 0 {
		t.Errorf("while an account cannot be resolved: %v", words(got, names))
	}
}
