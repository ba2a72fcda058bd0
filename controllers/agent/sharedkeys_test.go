package agent_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// sharedKeys gives a store the property of Windows' that a key belongs to the location: its rights are the same in whatever
// store they are looked at, and a change in one store is a change in all.
type sharedKeys struct {
	certstore.Store

	mu     sync.Mutex
	access map[string]string // by location, key options and thumbprint
}

func placeOf(ref certstore.Ref, thumbprint string, mark certstore.Mark) string {
	return fmt.Sprintf("%s %s %t %s", ref.Location, thumbprint, mark.Exportable, mark.Provider)
}

func (s *sharedKeys) shown(ref certstore.Ref, entry *certstore.Entry, err error) (*certstore.Entry, error) {
	if entry != nil && entry.Mark != nil && entry.OwnKey {
		s.mu.Lock()
		defer s.mu.Unlock()
		entry.Access = s.access[placeOf(ref, entry.Thumbprint, *entry.Mark)]
	}
	return entry, err
}

func (s *sharedKeys) List(ref certstore.Ref) ([]certstore.Entry, error) {
	entries, err := s.Store.List(ref)
	for i := range entries {
		_, _ = s.shown(ref, &entries[i], nil)
	}
	return entries, err
}

func (s *sharedKeys) Find(ref certstore.Ref, thumbprint string) (*certstore.Entry, error) {
	entry, err := s.Store.Find(ref, thumbprint)
	if entry != nil {
		copied := *entry // the store's own may be cached
		entry = &copied
	}
	return s.shown(ref, entry, err)
}

func (s *sharedKeys) Install(ref certstore.Ref, item certstore.Item) (*certstore.Entry, error) {
	if item.Key != nil {
		s.set(placeOf(ref, certstore.Thumbprint(item.Certificate), item.Mark), item.Access)
	}
	if _, err := s.Store.Install(ref, item); err != nil {
		return nil, err
	}
	return s.Find(ref, certstore.Thumbprint(item.Certificate))
}

func (s *sharedKeys) Update(ref certstore.Ref, thumbprint string, change certstore.Change) (*certstore.Entry, error) {
	entry, err := s.Store.Update(ref, thumbprint, change)
	if err == nil && change.Access != nil && entry.Mark != nil {
		s.set(placeOf(ref, thumbprint, *entry.Mark), *change.Access)
	}
	if err != nil {
		return nil, err
	}
	return s.Find(ref, thumbprint)
}

func (s *sharedKeys) set(place, access string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.access == nil {
		s.access = map[string]string{}
	}
	s.access[place] = access
}

// grantsIn waits until exactly these accounts may read the key of a certificate in a store.
func (m *machine) grantsIn(ref certstore.Ref, thumbprint string, sids ...string) {
	m.t.Helper()
	want := certstore.KeyAccess(ref.Location, sids)
	m.eventually(fmt.Sprintf("the key of %s in %s may be read by %v", thumbprint, ref, sids), func() (bool, error) {
		entry, err := m.store.Find(ref, thumbprint)
		if err != nil || entry == nil || entry.Access != want {
			return false, fmt.Errorf("it is %+v, %w", entry, err)
		}
		return true, nil
	})
}

func TestOneKeyInTwoStoresHasTheRightsOfBoth(t *testing.T) {
	m := newMachine(t, "two-stores")
	m.host.knows(map[string]string{poolAccount: poolSID, userAccount: userSID})
	m.store.wrap(func(store certstore.Store) certstore.Store { return &sharedKeys{Store: store} })
	both := m.put("iis", vaulttest.CertificateOptions{})
	m.create("iis", inStore("WebHosting"), granting(poolAccount))
	m.installed("iis", both)
	m.create("service", of(m.url("iis")), granting(userAccount))
	m.installed("service", both)
	m.grantsIn(my, both, poolSID, userSID)
	m.grantsIn(webHosting, both, poolSID, userSID)

	before := len(m.store.written(0))
	m.storeIsRead()
	m.reconcilesAgain("iis")
	m.reconcilesAgain("service")
	if writes := m.store.written(before); len(writes) != 0 {
		t.Errorf("the two take each other's rights away: %v", writes)
	}
	m.stop()
	m.start()
	m.reconcilesAgain("iis")
	m.reconcilesAgain("service")
	if writes := m.store.written(before); len(writes) != 0 {
		t.Errorf("after a restart: %v", writes)
	}

	m.changeSpec("iis", granting())
	m.grantsIn(webHosting, both, userSID)
	m.changeSpec("iis", granting(poolAccount))
	m.grantsIn(my, both, poolSID, userSID)
	m.delete("service")
	m.grantsIn(webHosting, both, poolSID)
	m.installed("iis", both)
}

func TestTwoForOneCertificateInOneStoreShareItsRights(t *testing.T) {
	m := newMachine(t, "one-store")
	m.host.knows(map[string]string{poolAccount: poolSID, userAccount: userSID})
	both := m.put("older", vaulttest.CertificateOptions{})
	m.create("older", granting(poolAccount))
	m.installed("older", both)
	m.create("younger", of(m.url("older")), granting(userAccount))
	m.installed("younger", both)
	m.grants(both, poolSID, userSID)
	renewed := m.rotate("older")
	m.nextSlot()
	m.installed("older", renewed)
	m.installed("younger", renewed)
	m.reconcilesAgain("older")
	m.storeIsRead()
	m.grants(renewed, poolSID, userSID)
	m.grants(both, poolSID, userSID) // what uses the old version still does
	both = renewed
	m.changeSpec("younger", func(spec *v1alpha1.ObservedCertificateSpec) { spec.Accounts = nil })
	m.grants(both, poolSID)
	m.installed("older", both)
}
