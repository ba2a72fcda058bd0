package windows

import (
	"errors"
	"slices"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/keys"
)

// OrphanedKeys implements certstore.Store.
func (s *Store) OrphanedKeys(location certstore.Location) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	orphans, err := s.orphanedContainers(location)
	names := make([]string, 0, len(orphans))
	for _, one := range orphans {
		names = append(names, one.Name)
	}
	return names, failure("listing private keys without certificate", certstore.Ref{Location: location}, err)
}

// RemoveOrphanedKeys implements certstore.Store. It continues after a failure.
func (s *Store) RemoveOrphanedKeys(location certstore.Location) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	orphans, err := s.orphanedContainers(location)
	failed := []error{err}
	removed := 0
	for _, one := range orphans {
		err := one.Delete()
		failed = append(failed, err)
		if err == nil {
			removed++
		}
	}
	return removed, failure("removing private keys without certificate", certstore.Ref{Location: location}, errors.Join(failed...))
}

// orphanedContainers returns Vaultpane's containers that no certificate refers to. A user's store may refer to a key of the machine
// too. If a store cannot be read, it returns an error, because any container may be in use.
func (s *Store) orphanedContainers(location certstore.Location) ([]keys.Container, error) {
	candidates, err := keys.List(location)
	if err != nil || len(candidates) == 0 {
		return nil, err
	}
	used := map[keys.Place]bool{}
	for _, one := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		there, err := s.references.in(one)
		if err != nil {
			return nil, err
		}
		for _, container := range there {
			used[container.Place()] = true
		}
	}
	return slices.DeleteFunc(candidates, func(c keys.Container) bool { return used[c.Place()] }), nil
}
