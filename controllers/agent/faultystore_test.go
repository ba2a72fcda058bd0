package agent_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
)

// faultyStore is the directory store with a record of its calls, which fails on demand. It outlives the agents that use it, as a
// machine's store does.
type faultyStore struct {
	root string

	mu      sync.Mutex
	store   certstore.Store
	wrapped func(certstore.Store) certstore.Store
	fault   func(operation string, ref certstore.Ref, thumbprint string) error
	panics  bool          // at an installation, with what it was given
	slow    time.Duration // how long listing the stores takes
	lists   int           // of any store
	writes  []string      // such as "Install LocalMachine\MY 3C5A…", in their order, those that failed too
}

var _ certstore.Store = (*faultyStore)(nil)

// renew opens the folder again, as another process does.
func (s *faultyStore) renew(t *testing.T) {
	t.Helper()
	store, err := directory.New(s.root)
	if err != nil {
		t.Fatal(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store = store
	if s.wrapped != nil {
		s.store = s.wrapped(store)
	}
}

// wrap puts a wrapper around the store, which outlives the agents too.
func (s *faultyStore) wrap(wrapper func(certstore.Store) certstore.Store) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.store = wrapper(s.store)
	kept := s.store.(*sharedKeys)
	s.wrapped = func(store certstore.Store) certstore.Store {
		kept.Store = store
		return kept
	}
}

// doing names each operation as an error does.
var doing = map[string]string{"Install": "installing", "Update": "changing", "Remove": "removing", "List": "listing", "Find": "reading"}

// breaks makes an operation fail until recover is called; thumbprint limits it to one certificate.
func (s *faultyStore) breaks(operation, thumbprint string, denied bool) {
	s.breaksIn(operation, "", thumbprint, denied)
}

func (s *faultyStore) breaksIn(operation, store, thumbprint string, denied bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = func(op string, ref certstore.Ref, of string) error {
		if op != operation || (store != "" && !strings.EqualFold(store, ref.Name)) || (thumbprint != "" && thumbprint != of) {
			return nil
		}
		return &certstore.Error{Operation: doing[operation] + " certificate " + of, Ref: ref, Denied: denied, Err: errors.New("0x80070020 ERROR_SHARING_VIOLATION")}
	}
}

func (s *faultyStore) recover() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.panics = nil, false
}

// panicsAtInstall makes installations panic until recover.
func (s *faultyStore) panicsAtInstall() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.panics = true
}

func (s *faultyStore) mayPanic(with any) {
	s.mu.Lock()
	panics := s.panics
	s.mu.Unlock()
	if panics {
		panic(with)
	}
}

// written returns the writes from the given one on.
func (s *faultyStore) written(from int) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.writes[from:])
}

// listed returns how many times a store was read.
func (s *faultyStore) listed() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.lists
}

// before records the operation and returns the store, or the error that the operation fails with.
func (s *faultyStore) before(operation string, ref certstore.Ref, thumbprint string) (certstore.Store, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch operation {
	case "List":
		s.lists++
	case "Find":
	default:
		s.writes = append(s.writes, operation+" "+ref.String()+" "+thumbprint)
	}
	if s.fault != nil {
		if err := s.fault(operation, ref, thumbprint); err != nil {
			return nil, err
		}
	}
	return s.store, nil
}

// List implements certstore.Store.
func (s *faultyStore) List(ref certstore.Ref) ([]certstore.Entry, error) {
	store, err := s.before("List", ref, "")
	if err != nil {
		return nil, err
	}
	return store.List(ref)
}

// Find implements certstore.Store.
func (s *faultyStore) Find(ref certstore.Ref, thumbprint string) (*certstore.Entry, error) {
	store, err := s.before("Find", ref, thumbprint)
	if err != nil {
		return nil, err
	}
	return store.Find(ref, thumbprint)
}

// Install implements certstore.Store.
func (s *faultyStore) Install(ref certstore.Ref, item certstore.Item) (*certstore.Entry, error) {
	store, err := s.before("Install", ref, certstore.Thumbprint(item.Certificate))
	if err != nil {
		return nil, err
	}
	s.mayPanic(item)
	return store.Install(ref, item)
}

// Update implements certstore.Store.
func (s *faultyStore) Update(ref certstore.Ref, thumbprint string, change certstore.Change) (*certstore.Entry, error) {
	store, err := s.before("Update", ref, thumbprint)
	if err != nil {
		return nil, err
	}
	return store.Update(ref, thumbprint, change)
}

// Remove implements certstore.Store.
func (s *faultyStore) Remove(ref certstore.Ref, thumbprint string) error {
	store, err := s.before("Remove", ref, thumbprint)
	if err != nil {
		return err
	}
	return store.Remove(ref, thumbprint)
}

// OrphanedKeys implements certstore.Store.
func (s *faultyStore) OrphanedKeys(location certstore.Location) ([]string, error) {
	s.mu.Lock()
	store := s.store
	s.mu.Unlock()
	return store.OrphanedKeys(location)
}

// RemoveOrphanedKeys implements certstore.Store.
func (s *faultyStore) RemoveOrphanedKeys(location certstore.Location) (int, error) {
	s.mu.Lock()
	store := s.store
	s.mu.Unlock()
	return store.RemoveOrphanedKeys(location)
}

// Stores implements certstore.Store.
func (s *faultyStore) Stores(location certstore.Location) ([]certstore.Ref, error) {
	s.mu.Lock()
	store, slow := s.store, s.slow
	s.mu.Unlock()
	<-time.After(slow)
	return store.Stores(location)
}
