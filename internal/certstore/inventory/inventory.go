// Package inventory is a copy of what the certificate stores hold, so that a thousand reconciles do not enumerate a store a
// thousand times. It is read again at each store check and updated with the agent's own writes. No removal relies on it: what
// makes a removal safe is read from the store itself.
package inventory

import (
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// Inventory is the copy. It is safe for concurrent use.
type Inventory struct {
	store certstore.Store

	mu     sync.Mutex
	stores map[string]*snapshot // by Key
}

// New returns an empty inventory of a machine's stores. A store is read when it is first asked for.
func New(store certstore.Store) *Inventory {
	return &Inventory{store: store, stores: map[string]*snapshot{}}
}

// Key returns the same text for every spelling of a store's name.
func Key(ref certstore.Ref) string { return string(ref.Location) + `\` + strings.ToUpper(ref.Name) }

// Relevant returns the certificates of a store that carry the mark of the ObservedCertificate with this UID, and those
// with one of the thumbprints.
func (i *Inventory) Relevant(ref certstore.Ref, uid string, thumbprints ...string) ([]certstore.Entry, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	held, err := i.load(ref, false)
	if err != nil {
		return nil, err
	}
	return held.relevant(uid, thumbprints), nil
}

// Marked returns all certificates with a mark, in the stores that have been read.
func (i *Inventory) Marked() map[certstore.Ref][]certstore.Entry {
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

// All returns all certificates in the stores that have been read.
func (i *Inventory) All() map[certstore.Ref][]certstore.Entry {
	i.mu.Lock()
	defer i.mu.Unlock()
	found := make(map[certstore.Ref][]certstore.Entry, len(i.stores))
	for _, held := range i.stores {
		found[held.ref] = slices.Collect(maps.Values(held.entries))
	}
	return found
}

// Copies returns a certificate as it is in each store of a location that has been read.
func (i *Inventory) Copies(location certstore.Location, thumbprint string) []certstore.Entry {
	i.mu.Lock()
	defer i.mu.Unlock()
	var found []certstore.Entry
	for _, held := range i.stores {
		if entry, ok := held.entries[thumbprint]; ok && held.ref.Location == location {
			found = append(found, entry)
		}
	}
	return found
}

// Find returns one certificate of a store, nil if it is not there.
func (i *Inventory) Find(ref certstore.Ref, thumbprint string) (*certstore.Entry, error) {
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

// Refs returns the stores that have been read, in a fixed order.
func (i *Inventory) Refs() []certstore.Ref {
	i.mu.Lock()
	defer i.mu.Unlock()
	refs := make([]certstore.Ref, 0, len(i.stores))
	for _, held := range i.stores {
		refs = append(refs, held.ref)
	}
	slices.SortFunc(refs, func(a, b certstore.Ref) int { return strings.Compare(a.String(), b.String()) })
	return refs
}

// Refresh reads a store again.
func (i *Inventory) Refresh(ref certstore.Ref) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	_, err := i.load(ref, true)
	return err
}

// Search reads a store that may not be in use, and keeps it only if it holds an entry that matches.
func (i *Inventory) Search(ref certstore.Ref, matches func(certstore.Entry) bool) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if _, inUse := i.stores[Key(ref)]; inUse {
		return nil // read at every check
	}
	held, err := i.load(ref, true)
	if err != nil {
		return err
	}
	for _, entry := range held.entries {
		if matches(entry) {
			return nil
		}
	}
	delete(i.stores, Key(ref))
	return nil
}

// Put records what was read back after a write; nil for a certificate that was removed.
func (i *Inventory) Put(ref certstore.Ref, thumbprint string, entry *certstore.Entry) {
	i.mu.Lock()
	defer i.mu.Unlock()
	held, ok := i.stores[Key(ref)]
	switch {
	case !ok:
	case entry == nil:
		held.drop(thumbprint)
	default:
		held.put(*entry)
	}
}

func (i *Inventory) load(ref certstore.Ref, fresh bool) (*snapshot, error) {
	if held, ok := i.stores[Key(ref)]; ok && !fresh {
		return held, nil
	}
	entries, err := i.store.List(ref)
	if err != nil {
		return nil, err
	}
	held := newSnapshot(ref, entries)
	i.stores[Key(ref)] = held
	return held, nil
}
