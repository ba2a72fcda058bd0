package agent

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// inventory is a copy of what the stores hold, so that a thousand reconciles do not enumerate a store a thousand times. It
// is read anew at each store check, kept up with the agent's own writes, and never used for a removal's safety: that is
// read from the store itself.
type inventory struct {
	store certstore.Store

	mu     sync.Mutex
	stores map[string]*snapshot // by refKey
}

// snapshot is one store. Its entries are found by thumbprint and by the UID in their mark, so that looking for one
// certificate costs the same whatever else the store holds.
type snapshot struct {
	ref     certstore.Ref
	entries map[string]certstore.Entry     // by thumbprint
	owned   map[string]map[string]struct{} // thumbprints by the UID of the owner
}

func newSnapshot(ref certstore.Ref, entries []certstore.Entry) *snapshot {
	s := &snapshot{ref: ref, entries: make(map[string]certstore.Entry, len(entries)), owned: map[string]map[string]struct{}{}}
	for _, entry := range entries {
		s.put(entry)
	}
	return s
}

func (s *snapshot) put(entry certstore.Entry) {
	s.drop(entry.Thumbprint)
	s.entries[entry.Thumbprint] = entry
	if entry.Mark == nil {
		return
	}
	if s.owned[entry.Mark.UID] == nil {
		s.owned[entry.Mark.UID] = map[string]struct{}{}
	}
	s.owned[entry.Mark.UID][entry.Thumbprint] = struct{}{}
}

func (s *snapshot) drop(thumbprint string) {
	if before, ok := s.entries[thumbprint]; ok && before.Mark != nil {
		delete(s.owned[before.Mark.UID], thumbprint)
		if len(s.owned[before.Mark.UID]) == 0 {
			delete(s.owned, before.Mark.UID)
		}
	}
	delete(s.entries, thumbprint)
}

// relevant returns the entries with the mark of an owner, and those with one of the thumbprints.
func (s *snapshot) relevant(uid string, thumbprints []string) []certstore.Entry {
	var entries []certstore.Entry
	for thumbprint := range s.owned[uid] {
		entries = append(entries, s.entries[thumbprint])
	}
	for _, thumbprint := range thumbprints {
		entry, ok := s.entries[thumbprint]
		if ok && (entry.Mark == nil || entry.Mark.UID != uid) {
			entries = append(entries, entry)
		}
	}
	return entries
}

// marked returns the entries that have an owner.
func (s *snapshot) marked() []certstore.Entry {
	var entries []certstore.Entry
	for _, thumbprints := range s.owned {
		for thumbprint := range thumbprints {
			entries = append(entries, s.entries[thumbprint])
		}
	}
	return entries
}

func refKey(ref certstore.Ref) string { return string(ref.Location) + `\` + strings.ToUpper(ref.Name) }

// relevant returns the certificates of a store that carry the mark of the ObservedCertificate with this UID, and those
// with one of the thumbprints.
func (i *inventory) relevant(ref certstore.Ref, uid string, thumbprints ...string) ([]certstore.Entry, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	held, err := i.load(ref, false)
	if err != nil {
		return nil, err
	}
	return held.relevant(uid, thumbprints), nil
}

// marked returns all certificates with a mark, in the stores that have been read.
func (i *inventory) marked() map[certstore.Ref][]certstore.Entry {
	i.mu.Lock()
	defer i.mu.Unlock()
	found := map[certstore.Ref][]certstore.Entry{}
	for _, held := range i.stores {
		if entries := held.marked(); len(entries) > 0 {
			found[held.ref] = entries
		}
	}
	return found
}

// all returns all certificates in the stores that have been read.
func (i *inventory) all() map[certstore.Ref][]certstore.Entry {
	i.mu.Lock()
	defer i.mu.Unlock()
	found := make(map[certstore.Ref][]certstore.Entry, len(i.stores))
	for _, held := range i.stores {
		found[held.ref] = slices.Collect(maps.Values(held.entries))
	}
	return found
}

// search reads a store that may not be in use, and keeps it only if it holds something that matters.
func (i *inventory) search(ref certstore.Ref, matters func(certstore.Entry) bool) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, inUse := i.stores[refKey(ref)]; inUse {
		return nil // read at every check
	}
	held, err := i.load(ref, true)
	if err != nil {
		return err
	}
	for _, entry := range held.entries {
		if matters(entry) {
			return nil
		}
	}
	delete(i.stores, refKey(ref))
	return nil
}

// refresh reads a store anew.
func (i *inventory) refresh(ref certstore.Ref) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	_, err := i.load(ref, true)
	return err
}

func (i *inventory) load(ref certstore.Ref, fresh bool) (*snapshot, error) {
	if held, ok := i.stores[refKey(ref)]; ok && !fresh {
		return held, nil
	}
	entries, err := i.store.List(ref)
	if err != nil {
		return nil, err
	}
	held := newSnapshot(ref, entries)
	if i.stores == nil {
		i.stores = map[string]*snapshot{}
	}
	i.stores[refKey(ref)] = held
	return held, nil
}

// find returns one certificate of a store, nil if it is not there.
func (i *inventory) find(ref certstore.Ref, thumbprint string) (*certstore.Entry, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	held, err := i.load(ref, false)
	if err != nil {
		return nil, err
	}
	if entry, ok := held.entries[thumbprint]; ok {
		return &entry, nil
	}
	return nil, nil
}

// put records what the agent has just read back after a write; nil for a certificate that it removed.
func (i *inventory) put(ref certstore.Ref, thumbprint string, entry *certstore.Entry) {
	i.mu.Lock()
	defer i.mu.Unlock()
	held, ok := i.stores[refKey(ref)]
	switch {
	case !ok:
	case entry == nil:
		held.drop(thumbprint)
	default:
		held.put(*entry)
	}
}

// refs returns the stores that have been read, in a fixed order.
func (i *inventory) refs() []certstore.Ref {
	i.mu.Lock()
	defer i.mu.Unlock()
	refs := make([]certstore.Ref, 0, len(i.stores))
	for _, held := range i.stores {
		refs = append(refs, held.ref)
	}
	slices.SortFunc(refs, func(a, b certstore.Ref) int { return strings.Compare(a.String(), b.String()) })
	return refs
}
