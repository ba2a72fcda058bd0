package agent

import (
	"slices"
	"strings"
	"sync"

	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
)

// inventory is a copy of what the stores hold, so that a thousand reconciles do not enumerate a store a thousand times. It
// is read anew at each store check, kept up with the agent's own writes, and never used for a removal's safety: that is
// read from the store itself.
type inventory struct {
	store certstore.Store

	mu     sync.Mutex
	stores map[string]*snapshot // by refKey
}

type snapshot struct {
	ref     certstore.Ref
	entries map[string]certstore.Entry // by thumbprint
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
	var entries []certstore.Entry
	for thumbprint, entry := range held.entries {
		if (entry.Mark != nil && entry.Mark.UID == uid) || slices.Contains(thumbprints, thumbprint) {
			entries = append(entries, entry)
		}
	}
	return entries, nil
}

// marked returns all certificates with a mark, in the stores that have been read.
func (i *inventory) marked() map[certstore.Ref][]certstore.Entry {
	i.mu.Lock()
	defer i.mu.Unlock()
	found := map[certstore.Ref][]certstore.Entry{}
	for _, held := range i.stores {
		for _, entry := range held.entries {
			if entry.Mark != nil {
				found[held.ref] = append(found[held.ref], entry)
			}
		}
	}
	return found
}

// search reads a store that may not be in use, and keeps it only if it holds a mark.
func (i *inventory) search(ref certstore.Ref) error {
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
		if entry.Mark != nil {
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
	held := &snapshot{ref: ref, entries: make(map[string]certstore.Entry, len(entries))}
	for _, entry := range entries {
		held.entries[entry.Thumbprint] = entry
	}
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
		delete(held.entries, thumbprint)
	default:
		held.entries[thumbprint] = *entry
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
