package inventory

import "github.com/vaultpane/vaultpane/internal/certstore"

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
