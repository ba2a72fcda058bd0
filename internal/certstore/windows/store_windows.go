package windows

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/keys"
)

// Store is this machine's certificate store. Make it with New.
type Store struct {
	mu         sync.Mutex // serializes writes, so that no container is deleted while an installation starts to use it
	references *references
}

var _ certstore.Store = (*Store)(nil)

// New returns the machine's store. LocalMachine requires the rights of an administrator or of SYSTEM.
func New() *Store { return &Store{references: newReferences()} }

// List implements certstore.Store.
func (s *Store) List(ref certstore.Ref) ([]certstore.Entry, error) {
	var entries []certstore.Entry
	err := eachIn(ref, func(context *windows.CertContext) error {
		entries = append(entries, *entryOf(context))
		return nil
	})
	return entries, failure("listing the certificates", ref, err)
}

// Find implements certstore.Store.
func (s *Store) Find(ref certstore.Ref, thumbprint string) (*certstore.Entry, error) {
	store, err := openStore(ref, false)
	if winerror.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return nil, nil
	}
	if err != nil {
		return nil, failure("opening the store", ref, err)
	}
	entry, err := findEntry(store, thumbprint)
	return entry, failure("reading certificate "+thumbprint, ref, errors.Join(err, closeStore(store)))
}

func findEntry(store windows.Handle, thumbprint string) (*certstore.Entry, error) {
	context, err := findCertificate(store, thumbprint)
	if err != nil || context == nil {
		return nil, err
	}
	return entryOf(context), windows.CertFreeCertificateContext(context)
}

// Install implements certstore.Store: first the key, then the certificate that refers to it.
func (s *Store) Install(ref certstore.Ref, item certstore.Item) (*certstore.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	thumbprint := certstore.Thumbprint(item.Certificate)
	if err := s.install(ref, item, thumbprint); err != nil {
		return nil, failure("installing certificate "+thumbprint, ref, err)
	}
	entry, err := s.Find(ref, thumbprint)
	if err == nil && (entry == nil || entry.Mark == nil || *entry.Mark != item.Mark) {
		err = failure("reading certificate "+thumbprint+" back", ref, errors.New("the store does not contain it with its mark"))
	}
	return entry, err
}

func (s *Store) install(ref certstore.Ref, item certstore.Item, thumbprint string) error {
	store, err := openStore(ref, true) // before the key, so that an invalid store name leaves no key
	if err != nil {
		return fmt.Errorf("opening the store: %w", err)
	}
	var where, before *keys.Container
	err = func() error {
		if where, err = putKey(ref.Location, item, thumbprint); err != nil {
			return err
		}
		before, err = addCertificate(store, item, where)
		return err
	}()
	if err := errors.Join(err, closeStore(store)); err != nil {
		return err
	}
	if before == nil || where == nil || !before.Ours() || before.Same(*where) {
		return nil
	}
	return s.deleteUnused(ref, []keys.Container{*before}) // the key with the previous options
}

// putKey imports the key into its container, unless the container has it. A certificate without a key has no container.
func putKey(location certstore.Location, item certstore.Item, thumbprint string) (*keys.Container, error) {
	if item.Key == nil {
		return nil, nil
	}
	where := keys.For(location, thumbprint, item.Mark.Exportable, item.Mark.Provider == keys.ProviderCAPI)
	if !where.Opens() {
		if err := where.Import(item.Key, item.Mark.Exportable); err != nil {
			return &where, err
		}
	}
	if item.Access == "" {
		return &where, nil
	}
	return &where, where.SetAccess(item.Access) // before the certificate can be used
}

// Update implements certstore.Store: first the access list, then the mark, then the link.
func (s *Store) Update(ref certstore.Ref, thumbprint string, change certstore.Change) (*certstore.Entry, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := withStore(ref, func(store windows.Handle) error {
		if change.Access != nil {
			if err := setAccess(store, thumbprint, *change.Access); err != nil {
				return err
			}
		}
		if change.Mark != nil {
			if err := setMark(store, thumbprint, change.Mark.String()); err != nil {
				return err
			}
		}
		if change.Successor != nil {
			return setSuccessor(store, thumbprint, *change.Successor)
		}
		return nil
	})
	if err != nil {
		return nil, failure("changing the properties of "+thumbprint, ref, err)
	}
	entry, err := s.Find(ref, thumbprint)
	if err == nil && !changed(entry, change) {
		err = failure("reading "+thumbprint+" back", ref, errors.New("the store still has the old properties"))
	}
	return entry, err
}

// changed reports whether a certificate has the properties of a change.
func changed(entry *certstore.Entry, change certstore.Change) bool {
	return entry != nil &&
		(change.Mark == nil || entry.Mark != nil && *entry.Mark == *change.Mark) &&
		(change.Access == nil || entry.Access == *change.Access) &&
		(change.Successor == nil || entry.Successor == *change.Successor)
}

// Remove implements certstore.Store: first the certificate, then its key, if no other certificate uses it.
func (s *Store) Remove(ref certstore.Ref, thumbprint string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	removed, err := removeCertificate(ref, thumbprint)
	if err != nil || !removed {
		return failure("removing certificate "+thumbprint, ref, err)
	}
	return failure("removing the private key of "+thumbprint, ref, s.deleteUnused(ref, keys.AllFor(ref.Location, thumbprint)))
}

// removeCertificate removes a certificate from a store, and reports whether it was there. A store that does not exist is not created.
func removeCertificate(ref certstore.Ref, thumbprint string) (removed bool, err error) {
	store, err := openStore(ref, false)
	if winerror.Is(err, windows.ERROR_FILE_NOT_FOUND) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := closeStore(store); err != nil {
		return false, err
	}
	err = withStore(ref, func(store windows.Handle) error {
		context, err := findCertificate(store, thumbprint)
		if err != nil || context == nil {
			return err
		}
		removed = true
		return windows.CertDeleteCertificateFromStore(context) // frees it too
	})
	return removed, err
}

// Stores implements certstore.Store.
func (s *Store) Stores(location certstore.Location) ([]certstore.Ref, error) {
	names, err := storeNames(location)
	if err != nil {
		return nil, failure("listing the stores", certstore.Ref{Location: location}, err)
	}
	refs := make([]certstore.Ref, len(names))
	for i, name := range names {
		refs[i] = certstore.Ref{Location: location, Name: name}
	}
	return refs, nil
}
