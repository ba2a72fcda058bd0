package windows

import (
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/keys"
)

// foreignStore is a store in which another program keeps certificates.
var foreignStore = certstore.Ref{Location: certstore.LocalMachine, Name: "VaultpaneTestForeign"}

// foreign adds or replaces a certificate of another program, which refers to a container, nil for none.
func foreign(t *testing.T, item certstore.Item, where *keys.Container) {
	t.Helper()
	err := withStore(foreignStore, func(store windows.Handle) error {
		_, err := addCertificate(store, item, where)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// removeForeignStore removes the other program's store with everything in it.
func removeForeignStore(t *testing.T) {
	t.Helper()
	path := storesKey + `\` + foreignStore.Name
	for _, folder := range []string{path + `\Certificates`, path + `\CRLs`, path + `\CTLs`, path} {
		key, err := registry.OpenKey(registry.LOCAL_MACHINE, folder, registry.READ)
		if err != nil {
			continue // it does not exist
		}
		names, err := key.ReadSubKeyNames(-1)
		if err := key.Close(); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			_ = registry.DeleteKey(registry.LOCAL_MACHINE, folder+`\`+name) // otherwise the next one fails
		}
		if err := registry.DeleteKey(registry.LOCAL_MACHINE, folder); err != nil {
			t.Fatal(err)
		}
	}
}

// learned returns a store that has read all others and trusts the reports of changes, and a counter of its reads by store.
func learned(t *testing.T) (*Store, map[string]int) {
	t.Helper()
	store, reads := New(), map[string]int{}
	read := store.references.read
	store.references.read = func(ref certstore.Ref) ([]keys.Container, error) {
		reads[strings.ToLower(ref.Name)]++
		return read(ref)
	}
	for range 2 {
		installAndRemove(t, store, storetest.RSAItem(t, "learn"))
	}
	if !store.references.reported || store.references.missed {
		t.Fatalf("its own changes: reported %t, missed %t", store.references.reported, store.references.missed)
	}
	clear(reads)
	return store, reads
}

func installAndRemove(t *testing.T, store *Store, item certstore.Item) {
	t.Helper()
	if _, err := store.Install(testStore, item); err != nil {
		t.Fatal(err)
	}
	if err := store.Remove(testStore, certstore.Thumbprint(item.Certificate)); err != nil {
		t.Fatal(err)
	}
}

// A key stays as long as another program's certificate refers to it, however the program came to it since the stores were read.
func TestAKeyThatAnotherProgramHasComeToUseIsKept(t *testing.T) {
	other := storetest.RSAItem(t, "other")
	for name, refer := range map[string]func(t *testing.T, where *keys.Container){
		"by a certificate that was added": func(t *testing.T, where *keys.Container) { foreign(t, storetest.RSAItem(t, "added"), where) },
		"by a certificate that was there": func(t *testing.T, where *keys.Container) { foreign(t, other, where) },
		"in a store that was made anew":   func(t *testing.T, where *keys.Container) { removeForeignStore(t); foreign(t, other, where) },
		"not at all":                      nil,
	} {
		t.Run(name, func(t *testing.T) {
			t.Cleanup(func() { removeForeignStore(t) })
			foreign(t, other, nil)
			store, _ := learned(t)
			item := storetest.RSAItem(t, "web")
			where := keys.For(testStore.Location, certstore.Thumbprint(item.Certificate), false, true)
			if _, err := store.Install(testStore, item); err != nil {
				t.Fatal(err)
			}
			if refer != nil {
				refer(t, &where)
			}
			if err := store.Remove(testStore, certstore.Thumbprint(item.Certificate)); err != nil {
				t.Fatal(err)
			}
			if where.Opens() != (refer != nil) {
				t.Errorf("the key exists: %t", where.Opens())
			}
			removeForeignStore(t)
			if _, err := store.RemoveOrphanedKeys(testStore.Location); err != nil || where.Opens() {
				t.Errorf("after the other program's store is gone, the key exists: %t (%v)", where.Opens(), err)
			}
		})
	}
}

// A store that did not exist when the others were read is read when it is there.
func TestAKeyInANewStoreIsKept(t *testing.T) {
	removeForeignStore(t)
	t.Cleanup(func() { removeForeignStore(t) })
	store, _ := learned(t)
	item := storetest.RSAItem(t, "web")
	where := keys.For(testStore.Location, certstore.Thumbprint(item.Certificate), false, true)
	if _, err := store.Install(testStore, item); err != nil {
		t.Fatal(err)
	}
	foreign(t, item, &where)
	if err := store.Remove(testStore, certstore.Thumbprint(item.Certificate)); err != nil {
		t.Fatal(err)
	}
	if !where.Opens() {
		t.Fatal("the key was deleted")
	}
	if err := removeInAnotherProcess(foreignStore, certstore.Thumbprint(item.Certificate)); err != nil {
		t.Fatal(err)
	}
	if where.Opens() {
		t.Error("the other process left the key")
	}
	used, err := store.references.in(testStore.Location)
	if err != nil || slices.ContainsFunc(used, where.Same) {
		t.Errorf("after another process removed the certificate, its key is in use (%v)", err)
	}
}

func TestOnlyChangedStoresAreReadAgain(t *testing.T) {
	store, reads := learned(t)
	installAndRemove(t, store, storetest.RSAItem(t, "web"))
	if len(reads) != 1 || reads[strings.ToLower(testStore.Name)] != 1 {
		t.Errorf("reads: %v, want one of %s", reads, testStore.Name)
	}
}

// If Windows does not report a change that Vaultpane made itself, no report is trusted any more.
func TestEveryStoreIsReadWhereChangesAreNotReported(t *testing.T) {
	store, reads := learned(t)
	deaf, err := windows.CreateEvent(nil, 1, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	own := store.references.known[strings.ToLower(testStore.Name)].changes
	if err := windows.CloseHandle(own.event); err != nil {
		t.Fatal(err)
	}
	own.event = deaf
	for range 2 {
		clear(reads)
		installAndRemove(t, store, storetest.RSAItem(t, "web"))
		if reads["root"] != 1 || reads[strings.ToLower(testStore.Name)] != 1 {
			t.Errorf("reads: %v, want one of each store", reads)
		}
	}
}

// Certificates of group policies and of the domain are shown in the machine's stores, and kept under other registry keys.
func TestAChangeElsewhereHasEveryStoreReadAgain(t *testing.T) {
	for _, name := range elsewhereKeys {
		t.Run(name, func(t *testing.T) {
			store, reads := learned(t)
			key, existed, err := registry.CreateKey(registry.LOCAL_MACHINE, name+`\VaultpaneTest`, registry.WRITE)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := registry.DeleteKey(registry.LOCAL_MACHINE, name+`\VaultpaneTest`); err != nil {
					t.Error(err)
				}
			})
			if err := key.Close(); err != nil || existed {
				t.Fatalf("created: %t (%v)", !existed, err)
			}
			installAndRemove(t, store, storetest.RSAItem(t, "web"))
			if reads["root"] != 1 {
				t.Errorf("after a change: reads %v, want one of each store", reads)
			}
			clear(reads)
			installAndRemove(t, store, storetest.RSAItem(t, "web"))
			if reads["root"] != 0 {
				t.Errorf("without a change: reads %v", reads)
			}
		})
	}
}
