package inventory

import (
	"slices"
	"testing"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// countingStore has one certificate in LocalMachine\MY, and counts how often a store is read.
type countingStore struct {
	certstore.Store
	entries []certstore.Entry
	lists   int
}

func (s *countingStore) List(ref certstore.Ref) ([]certstore.Entry, error) {
	s.lists++
	if ref.Same(my) {
		return slices.Clone(s.entries), nil
	}
	return nil, nil
}

var my = certstore.Ref{Location: certstore.LocalMachine, Name: certstore.StoreMY}

func entry(thumbprint, uid string) certstore.Entry {
	return certstore.Entry{Thumbprint: thumbprint, Mark: &certstore.Mark{UID: uid}}
}

func thumbprintsOf(t *testing.T, i *Inventory, uid string, others ...string) []string {
	t.Helper()
	entries, err := i.Relevant(my, uid, others...)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, one := range entries {
		found = append(found, one.Thumbprint)
	}
	slices.Sort(found)
	return found
}

func TestAStoreIsReadOnceAndThenKeptUpToDate(t *testing.T) {
	store := &countingStore{entries: []certstore.Entry{entry("AA", "web"), entry("BB", "shop")}}
	i := New(store)
	if got := thumbprintsOf(t, i, "web"); !slices.Equal(got, []string{"AA"}) {
		t.Errorf("of web are %v", got)
	}
	if got := thumbprintsOf(t, i, "web", "BB"); !slices.Equal(got, []string{"AA", "BB"}) {
		t.Errorf("of web and BB are %v", got)
	}
	changed, added := entry("AA", "shop"), entry("CC", "web")
	lower := certstore.Ref{Location: certstore.LocalMachine, Name: "my"} // Windows compares names without regard to case
	i.Put(lower, "AA", &changed)
	i.Put(my, "CC", &added)
	if got := thumbprintsOf(t, i, "web"); !slices.Equal(got, []string{"CC"}) {
		t.Errorf("after AA has another owner, of web are %v", got)
	}
	i.Put(my, "CC", nil)
	if found, err := i.Find(my, "CC"); err != nil || found != nil {
		t.Errorf("a removed certificate is found: %v, error %v", found, err)
	}
	if store.lists != 1 {
		t.Errorf("the store was read %d times, want once", store.lists)
	}
	if err := i.Refresh(my); err != nil || store.lists != 2 {
		t.Errorf("refreshing read it %d times, error %v", store.lists, err)
	}
	if got := thumbprintsOf(t, i, "web"); !slices.Equal(got, []string{"AA"}) {
		t.Errorf("after a refresh, of web are %v", got)
	}
}

func TestASearchKeepsOnlyAStoreThatMatches(t *testing.T) {
	i := New(&countingStore{entries: []certstore.Entry{entry("AA", "web")}})
	other := certstore.Ref{Location: certstore.LocalMachine, Name: "WebHosting"}
	for _, ref := range []certstore.Ref{my, other} {
		if err := i.Search(ref, func(e certstore.Entry) bool { return e.Mark != nil }); err != nil {
			t.Fatal(err)
		}
	}
	if got := i.Refs(); len(got) != 1 || got[0] != my {
		t.Errorf("in use are %v, want only %s", got, my)
	}
	if got := i.Marked()[my]; len(got) != 1 || got[0].Thumbprint != "AA" {
		t.Errorf("marked are %v", got)
	}
}
