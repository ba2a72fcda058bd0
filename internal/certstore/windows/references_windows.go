package windows

import (
	"strings"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/keys"
)

// references finds out which of Vaultpane's containers certificates refer to. Before a container is deleted, that must be known of
// every store of the location, and a store such as Root has hundreds of certificates that hardly ever change. So it remembers what
// it read of the machine's stores, until Windows reports a change.
//
// Reports are trusted only once they have reported a change of Vaultpane's own, and never again after one was missing: then every
// store is read each time. It is not safe for concurrent use.
type references struct {
	read      func(certstore.Ref) ([]keys.Container, error)
	list      *changes            // of the list of the machine's stores, nil before it was read
	elsewhere map[string]*changes // of elsewhereKeys that exist
	names     []string            // that list
	known     map[string]*readStore
	reported  bool // a change of Vaultpane's own was reported
	missed    bool // one was not
}

// readStore is what was read of a store.
type readStore struct {
	changes *changes
	used    []keys.Container
}

func newReferences() *references {
	return &references{read: readContainers, known: map[string]*readStore{}, elsewhere: map[string]*changes{}}
}

// readContainers returns Vaultpane's containers that the certificates of a store refer to.
func readContainers(ref certstore.Ref) (used []keys.Container, err error) {
	err = eachIn(ref, func(context *windows.CertContext) error {
		where, err := keyContainer(context)
		if err == nil && where != nil && where.Ours() {
			used = append(used, *where)
		}
		return err
	})
	return used, err
}

// wrote takes note of a change that Vaultpane has made to a store: it must have been reported.
func (r *references) wrote(ref certstore.Ref) {
	one := r.known[strings.ToLower(ref.Name)]
	switch {
	case ref.Location != certstore.LocalMachine || one == nil: // its changes are not reported
	case one.changes.happened():
		r.reported = true
	default:
		r.missed = true
	}
}

// in returns Vaultpane's containers that certificates in any store of a location refer to.
//
// The stores of a user are read each time: Windows keeps some of them in files, whose changes the registry does not report
// (https://learn.microsoft.com/windows/win32/seccrypto/system-store-locations).
func (r *references) in(location certstore.Location) ([]keys.Container, error) {
	list, of := storeNames, r.read
	if location == certstore.LocalMachine && !r.missed {
		list, of = r.machineStores, r.ofMachine
	}
	names, err := list(location)
	if err != nil {
		return nil, err
	}
	var used []keys.Container
	for _, name := range names {
		there, err := of(certstore.Ref{Location: location, Name: name})
		if err != nil {
			return nil, err
		}
		used = append(used, there...)
	}
	return used, nil
}

// machineStores returns the names of the machine's stores. When one was created or removed, it forgets what was read of all: a
// store that was removed and created again has another registry key, whose changes are not reported yet. The same holds when a
// certificate was added to a store from elsewhere.
func (r *references) machineStores(location certstore.Location) ([]string, error) {
	added := r.changedElsewhere()
	if r.list != nil && r.reported && !added && !r.list.happened() {
		return r.names, nil
	}
	for name, one := range r.known {
		one.changes.close()
		delete(r.known, name)
	}
	if err := r.expectStores(); err != nil {
		return storeNames(location) // and again next time
	}
	names, err := storeNames(location)
	if err != nil {
		r.list.expected = false
		return nil, err
	}
	r.names = names
	return names, nil
}

// changedElsewhere reports whether certificates that are kept elsewhere were changed since it was last called, and expects the next
// change.
func (r *references) changedElsewhere() (changed bool) {
	for _, name := range elsewhereKeys {
		one := r.elsewhere[name]
		if one != nil && !one.happened() {
			continue
		}
		if one != nil {
			changed = true
			one.close() // the key may have been created again
			delete(r.elsewhere, name)
		}
		opened, err := openElsewhere(name)
		if err != nil {
			continue // it does not exist, so no certificate is there
		}
		changed = true
		if opened.expect() != nil {
			opened.close() // and again next time
			continue
		}
		r.elsewhere[name] = opened
	}
	return changed
}

func (r *references) expectStores() (err error) {
	if r.list == nil {
		if r.list, err = openListChanges(); err != nil {
			return err
		}
	}
	return r.list.expect()
}

// ofMachine returns Vaultpane's containers that the certificates of one of the machine's stores refer to. The next change is asked
// for before the store is read, so a change in between is not missed.
func (r *references) ofMachine(ref certstore.Ref) ([]keys.Container, error) {
	name := strings.ToLower(ref.Name)
	one := r.known[name]
	if one != nil && r.reported && !one.changes.happened() {
		return one.used, nil
	}
	if one == nil {
		opened, err := openChanges(ref)
		if err != nil { // it may just have been removed, or have no key of its own
			return r.read(ref)
		}
		one = &readStore{changes: opened}
		r.known[name] = one
	}
	err := one.changes.expect()
	if err == nil {
		one.used, err = r.read(ref)
	}
	if err != nil {
		delete(r.known, name)
		one.changes.close()
		return r.read(ref)
	}
	return one.used, nil
}

// deleteUnused deletes the containers that no certificate in any store of the location refers to, after a change of a store.
func (s *Store) deleteUnused(changed certstore.Ref, candidates []keys.Container) error {
	s.references.wrote(changed)
	used, err := s.references.in(changed.Location)
	if err != nil {
		return err
	}
	for _, candidate := range candidates {
		inUse := false
		for _, one := range used {
			inUse = inUse || one.Same(candidate)
		}
		if inUse {
			continue
		}
		if err := candidate.Delete(); err != nil {
			return err
		}
	}
	return nil
}
