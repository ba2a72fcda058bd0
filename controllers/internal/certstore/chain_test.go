package certstore

import (
	"crypto/x509"
	"testing"

	"github.com/google/go-cmp/cmp"
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
		{"what a leaf needs stays, directly or not", map[Ref][]Entry{my: {leaf.entry(&owner, KeyPresent)}, ca: both(&deleting)}, kept, nil},
		{"also when the leaf is somebody else's", map[Ref][]Entry{my: {leaf.entry(nil, KeyPresent)}, ca: both(&deleting)}, nil, nil},
		{"what nothing needs goes with its owner", map[Ref][]Entry{ca: both(&deleting)}, nil,
			[]string{"remove lower CA after nothing", "remove upper CA after nothing"}},
		{"also when Go does not verify the leaf's signature", map[Ref][]Entry{my: {older.entry(&owner, KeyPresent)}, ca: both(&deleting)}, kept, nil},
		{"with Retain it stays", map[Ref][]Entry{ca: both(&chain)}, nil, nil},
		{"of an owner who has another leaf by now it goes", map[Ref][]Entry{my: {stranger.entry(&owner, KeyPresent)}, ca: both(&chain)}, kept,
			[]string{"remove lower CA after nothing", "remove upper CA after nothing"}},
		{"of an owner who has none at the moment it waits", map[Ref][]Entry{my: {stranger.entry(nil, KeyPresent)}, ca: both(&chain)}, kept, nil},
		{"a leaf of another location needs nothing here", map[Ref][]Entry{elsewhere: {leaf.entry(&owner, KeyPresent)}, ca: both(&deleting)}, nil,
			[]string{"remove lower CA after nothing", "remove upper CA after nothing"}},
		{"what somebody else put there stays", map[Ref][]Entry{ca: both(nil)}, nil, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got := PlanUnneeded(Observed{Entries: test.entries}, test.kept)
			if diff := cmp.Diff(test.want, sorted(words(got, names))); diff != "" {
				t.Errorf("plan differs (-want +got):\n%s", diff)
			}
		})
	}
}
