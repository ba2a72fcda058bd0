package storetest

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// Machine is the machine on which the suite runs.
type Machine struct {
	// Open opens the machine's store, as another process would.
	Open func() certstore.Store
	// LoseKey removes a certificate's private key without the store.
	LoseKey func(t testing.TB, ref certstore.Ref, thumbprint string)
	// LoseCertificate removes a certificate without the store and leaves its private key, as a process that is killed in between.
	LoseCertificate func(t testing.TB, ref certstore.Ref, thumbprint string)
	// LoseMark removes a certificate's mark without the store.
	LoseMark func(t testing.TB, ref certstore.Ref, thumbprint string)
	// Locations are the locations to test.
	Locations []certstore.Location
	// StorePrefix is the prefix of the names of the suite's stores.
	StorePrefix string
}

// Run runs the suite.
func Run(t *testing.T, machine Machine) {
	for _, location := range machine.Locations {
		t.Run(string(location), func(t *testing.T) {
			s := suite{machine: machine, location: location}
			t.Run("a store that does not exist is empty, and reading does not create it", s.missingStore)
			t.Run("an installed certificate is read back, also by another process", s.install)
			t.Run("installing again changes nothing but mark and friendly name", s.installAgain)
			t.Run("a certificate without a key has the state None", s.withoutKey)
			t.Run("a missing key is reported, and an installation restores it", s.lostKey)
			t.Run("each property changes without the others and the key", s.update)
			t.Run("changing a certificate that does not exist is an error", s.updateMissing)
			t.Run("a link can be set, changed and removed, and survives an installation", s.link)
			t.Run("a certificate without its mark is identified by its key", s.lostMark)
			t.Run("a removal removes certificate and key, and can be repeated", s.remove)
			t.Run("a removal from one of two stores keeps the key", s.sharedKey)
			t.Run("only keys without a certificate are orphaned", s.orphanedKey)
			t.Run("a key of another store's certificate is not orphaned", s.orphanedInOne)
			t.Run("a certificate that Go's parser rejects is listed", s.oddCertificate)
			t.Run("key options can change while the certificate stays", s.changeOptions)
			t.Run("store names differ in more than case", s.nameCase)
			t.Run("concurrent installations do not interfere", s.concurrent)
			t.Run("errors contain the store", s.errors)
		})
	}
}

type suite struct {
	machine  Machine
	location certstore.Location
}

// ref returns a store for one test, which is emptied at its end.
func (s suite) ref(t *testing.T, suffix string) certstore.Ref {
	ref := certstore.Ref{Location: s.location, Name: s.machine.StorePrefix + suffix}
	t.Cleanup(func() {
		store := s.machine.Open()
		for _, entry := range list(t, store, ref) {
			if err := store.Remove(ref, entry.Thumbprint); err != nil {
				t.Errorf("cleaning up: %v", err)
			}
		}
	})
	return ref
}

// item returns a certificate with an RSA key and the default access list of the location.
func (s suite) item(t *testing.T, name string) certstore.Item {
	item := RSAItem(t, name)
	item.Access = certstore.KeyAccess(s.location, nil)
	return item
}

func (s suite) missingStore(t *testing.T) {
	store := s.machine.Open()
	ref := certstore.Ref{Location: s.location, Name: s.machine.StorePrefix + "Nowhere"}
	if entries := list(t, store, ref); len(entries) != 0 {
		t.Errorf("it contains %d certificates", len(entries))
	}
	if entry, err := store.Find(ref, strings.Repeat("A", 40)); entry != nil || err != nil {
		t.Errorf("Find returns %v, %v", entry, err)
	}
	if err := store.Remove(ref, strings.Repeat("A", 40)); err != nil {
		t.Errorf("Remove: %v", err)
	}
	for _, one := range stores(t, store, s.location) {
		if one.Same(ref) {
			t.Error("it exists now")
		}
	}
}

func (s suite) install(t *testing.T) {
	ref, item := s.ref(t, "Install"), s.item(t, "web")
	installed, err := s.machine.Open().Install(ref, item)
	if err != nil {
		t.Fatal(err)
	}
	want := wantEntry(item, certstore.KeyPresent)
	if difference := cmp.Diff(want, installed); difference != "" {
		t.Errorf("Install returns (-want +got):\n%s", difference)
	}
	other := s.machine.Open()
	if difference := cmp.Diff([]certstore.Entry{*want}, list(t, other, ref)); difference != "" {
		t.Errorf("List (-want +got):\n%s", difference)
	}
	if difference := cmp.Diff(want, find(t, other, ref, want.Thumbprint)); difference != "" {
		t.Errorf("Find (-want +got):\n%s", difference)
	}
	found := false
	for _, one := range stores(t, other, s.location) {
		found = found || one.Same(ref)
	}
	if !found {
		t.Error("Stores does not return it")
	}
}

func (s suite) installAgain(t *testing.T) {
	ref, item := s.ref(t, "Again"), s.item(t, "web")
	store := s.machine.Open()
	mustInstall(t, store, ref, item)
	item.Mark.Version, item.FriendlyName = "fedcba9876543210fedcba9876543210", "another name"
	mustInstall(t, store, ref, item)
	want := []certstore.Entry{*wantEntry(item, certstore.KeyPresent)}
	if difference := cmp.Diff(want, list(t, s.machine.Open(), ref)); difference != "" {
		t.Errorf("(-want +got):\n%s", difference)
	}
}

func (s suite) withoutKey(t *testing.T) {
	ref, item := s.ref(t, "NoKey"), s.item(t, "web")
	item.Key, item.Access, item.Mark.Role, item.Mark.Provider = nil, "", certstore.RoleIntermediate, ""
	mustInstall(t, s.machine.Open(), ref, item)
	want := []certstore.Entry{*wantEntry(item, certstore.KeyNone)}
	if difference := cmp.Diff(want, list(t, s.machine.Open(), ref)); difference != "" {
		t.Errorf("(-want +got):\n%s", difference)
	}
}

func (s suite) lostKey(t *testing.T) {
	ref, item := s.ref(t, "Lost"), s.item(t, "web")
	store := s.machine.Open()
	installed := mustInstall(t, store, ref, item)
	s.machine.LoseKey(t, ref, installed.Thumbprint)
	if got := find(t, store, ref, installed.Thumbprint); got == nil || got.Key != certstore.KeyMissing {
		t.Fatalf("with its key lost, the certificate is %+v", got)
	}
	if got := mustInstall(t, store, ref, item); got.Key != certstore.KeyPresent {
		t.Errorf("after installing again the key is %s", got.Key)
	}
}

func (s suite) update(t *testing.T) {
	ref, item := s.ref(t, "Update"), s.item(t, "web")
	store := s.machine.Open()
	installed := mustInstall(t, store, ref, item)
	want := wantEntry(item, certstore.KeyPresent)
	mark := item.Mark
	mark.Version, mark.DeletionPolicy = "fedcba9876543210fedcba9876543210", "Delete"
	access := certstore.KeyAccess(s.location, []string{"S-1-5-20"})
	for _, step := range []struct {
		change certstore.Change
		want   func()
	}{
		{certstore.Change{Mark: &mark}, func() { want.Mark = &mark }},
		{certstore.Change{Access: &access}, func() { want.Access = access }},
		{certstore.Change{Mark: &item.Mark, Access: &item.Access}, func() { want.Mark, want.Access = &item.Mark, item.Access }},
		{certstore.Change{}, func() {}},
	} {
		step.want()
		got, err := store.Update(ref, installed.Thumbprint, step.change)
		if err != nil {
			t.Fatal(err)
		}
		if difference := cmp.Diff(want, got); difference != "" {
			t.Errorf("Update returns (-want +got):\n%s", difference)
		}
		if difference := cmp.Diff(want, find(t, s.machine.Open(), ref, installed.Thumbprint)); difference != "" {
			t.Errorf("another process reads (-want +got):\n%s", difference)
		}
	}
}

func (s suite) updateMissing(t *testing.T) {
	ref, mark := s.ref(t, "UpdateMissing"), s.item(t, "web").Mark
	if _, err := s.machine.Open().Update(ref, strings.Repeat("A", 40), certstore.Change{Mark: &mark}); err == nil {
		t.Error("no error")
	}
}

func (s suite) link(t *testing.T) {
	ref, item := s.ref(t, "Link"), s.item(t, "web")
	store := s.machine.Open()
	first := mustInstall(t, store, ref, item)
	for _, successor := range []string{strings.Repeat("A", 40), strings.Repeat("B", 40), "", strings.Repeat("C", 40)} {
		if _, err := store.Update(ref, first.Thumbprint, certstore.Change{Successor: &successor}); err != nil {
			t.Fatal(err)
		}
		if got := find(t, s.machine.Open(), ref, first.Thumbprint); got == nil || got.Successor != successor || got.Key != certstore.KeyPresent || got.Mark == nil {
			t.Errorf("linked to %q: %+v", successor, got)
		}
	}
	item.FriendlyName = "another name"
	if got := mustInstall(t, store, ref, item); got.Successor != strings.Repeat("C", 40) {
		t.Errorf("after installing again it is linked to %q", got.Successor)
	}
}

func (s suite) lostMark(t *testing.T) {
	ref, item := s.ref(t, "LostMark"), s.item(t, "web")
	store := s.machine.Open()
	installed := mustInstall(t, store, ref, item)
	s.machine.LoseMark(t, ref, installed.Thumbprint)
	got := find(t, store, ref, installed.Thumbprint)
	if got == nil || got.Mark != nil || !got.OwnKey || got.Key != certstore.KeyPresent {
		t.Fatalf("with its mark lost, the certificate is %+v", got)
	}
	if got, err := store.Update(ref, installed.Thumbprint, certstore.Change{Mark: &item.Mark}); err != nil || got.Mark == nil || *got.Mark != item.Mark {
		t.Errorf("a new mark: %+v, %v", got, err)
	}
}

func (s suite) remove(t *testing.T) {
	ref, item := s.ref(t, "Remove"), s.item(t, "web")
	store := s.machine.Open()
	gone, stays := mustInstall(t, store, ref, item), mustInstall(t, store, ref, s.item(t, "stays"))
	for range 2 {
		if err := store.Remove(ref, gone.Thumbprint); err != nil {
			t.Fatal(err)
		}
	}
	left := list(t, s.machine.Open(), ref)
	if len(left) != 1 || left[0].Thumbprint != stays.Thumbprint || left[0].Key != certstore.KeyPresent {
		t.Errorf("remaining: %+v", left)
	}
}

func (s suite) sharedKey(t *testing.T) {
	first, second, item := s.ref(t, "One"), s.ref(t, "Two"), s.item(t, "web")
	store := s.machine.Open()
	installed := mustInstall(t, store, first, item)
	mustInstall(t, store, second, item)
	if err := store.Remove(first, installed.Thumbprint); err != nil {
		t.Fatal(err)
	}
	if got := find(t, store, second, installed.Thumbprint); got == nil || got.Key != certstore.KeyPresent {
		t.Errorf("the other store contains %+v", got)
	}
	if left := list(t, store, first); len(left) != 0 {
		t.Errorf("remaining: %+v", left)
	}
}

func (s suite) orphanedKey(t *testing.T) {
	ref, item := s.ref(t, "Orphan"), s.item(t, "web")
	store := s.machine.Open()
	lost, stays := mustInstall(t, store, ref, item), mustInstall(t, store, ref, s.item(t, "stays"))
	s.machine.LoseCertificate(t, ref, lost.Thumbprint)
	orphans := s.orphans(t)
	if !strings.Contains(orphans, lost.Thumbprint) || strings.Contains(orphans, stays.Thumbprint) {
		t.Fatalf("orphaned keys %q, want only that of %s", orphans, lost.Thumbprint)
	}
	if removed, err := s.machine.Open().RemoveOrphanedKeys(s.location); err != nil || removed == 0 {
		t.Fatalf("removed %d, %v", removed, err)
	}
	if orphans := s.orphans(t); orphans != "" {
		t.Errorf("still orphaned: %q", orphans)
	}
	if got := find(t, store, ref, stays.Thumbprint); got == nil || got.Key != certstore.KeyPresent {
		t.Errorf("the other certificate is %+v", got)
	}
	if got := mustInstall(t, store, ref, item); got.Key != certstore.KeyPresent {
		t.Errorf("installed again, the key is %s", got.Key)
	}
}

func (s suite) orphans(t *testing.T) string {
	names, err := s.machine.Open().OrphanedKeys(s.location)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(names, " ")
}

func (s suite) orphanedInOne(t *testing.T) {
	first, second, item := s.ref(t, "OrphanOne"), s.ref(t, "OrphanTwo"), s.item(t, "web")
	store := s.machine.Open()
	installed := mustInstall(t, store, first, item)
	mustInstall(t, store, second, item)
	s.machine.LoseCertificate(t, first, installed.Thumbprint)
	if _, err := store.RemoveOrphanedKeys(s.location); err != nil {
		t.Fatal(err)
	}
	if got := find(t, s.machine.Open(), second, installed.Thumbprint); got == nil || got.Key != certstore.KeyPresent {
		t.Errorf("the other store contains %+v", got)
	}
}

func (s suite) oddCertificate(t *testing.T) {
	ref, item := s.ref(t, "Odd"), s.item(t, "web")
	item.Certificate = OddCertificate(t, item)
	store := s.machine.Open()
	installed := mustInstall(t, store, ref, item)
	if installed.Key != certstore.KeyPresent || installed.Certificate.Subject.CommonName != item.Certificate.Subject.CommonName {
		t.Errorf("installed is %+v", installed)
	}
	if got := list(t, s.machine.Open(), ref); len(got) != 1 || got[0].Thumbprint != installed.Thumbprint {
		t.Errorf("the store contains %+v", got)
	}
}

func (s suite) changeOptions(t *testing.T) {
	ref, item := s.ref(t, "Options"), s.item(t, "web")
	store := s.machine.Open()
	mustInstall(t, store, ref, item)
	item.Mark.Exportable = true
	mustInstall(t, store, ref, item)
	want := []certstore.Entry{*wantEntry(item, certstore.KeyPresent)}
	if difference := cmp.Diff(want, list(t, s.machine.Open(), ref)); difference != "" {
		t.Errorf("(-want +got):\n%s", difference)
	}
}

func (s suite) nameCase(t *testing.T) {
	ref := s.ref(t, "Case")
	mustInstall(t, s.machine.Open(), ref, s.item(t, "web"))
	ref.Name = strings.ToUpper(ref.Name)
	if entries := list(t, s.machine.Open(), ref); len(entries) != 1 {
		t.Errorf("in upper case it contains %d certificates, want the same one", len(entries))
	}
}

func (s suite) concurrent(t *testing.T) {
	ref, store := s.ref(t, "Concurrent"), s.machine.Open()
	shared := s.item(t, "shared")
	var group sync.WaitGroup
	for range 8 {
		item := s.item(t, "web")
		group.Go(func() {
			for _, one := range []certstore.Item{item, shared} {
				if _, err := store.Install(ref, one); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	entries := list(t, s.machine.Open(), ref)
	if len(entries) != 9 {
		t.Errorf("it contains %d certificates, want 9", len(entries))
	}
	for _, entry := range entries {
		if entry.Key != certstore.KeyPresent || entry.Mark == nil {
			t.Errorf("%s: key %s, mark %v", entry.Certificate.Subject, entry.Key, entry.Mark)
		}
	}
}

func (s suite) errors(t *testing.T) {
	ref := certstore.Ref{Location: s.location, Name: s.machine.StorePrefix + `Bad\..\Name`}
	_, err := s.machine.Open().Install(ref, s.item(t, "web"))
	var failure *certstore.Error
	if !errors.As(err, &failure) || failure.Ref != ref || failure.Operation == "" {
		t.Errorf("Install into %s returns %v", ref, err)
	}
}

func wantEntry(item certstore.Item, key certstore.KeyState) *certstore.Entry {
	return &certstore.Entry{
		Certificate: item.Certificate, Thumbprint: certstore.Thumbprint(item.Certificate), Mark: &item.Mark, Key: key,
		FriendlyName: item.FriendlyName, OwnKey: item.Key != nil, Access: item.Access,
	}
}

func mustInstall(t testing.TB, store certstore.Store, ref certstore.Ref, item certstore.Item) *certstore.Entry {
	t.Helper()
	entry, err := store.Install(ref, item)
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

func list(t testing.TB, store certstore.Store, ref certstore.Ref) []certstore.Entry {
	t.Helper()
	entries, err := store.List(ref)
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func find(t testing.TB, store certstore.Store, ref certstore.Ref, thumbprint string) *certstore.Entry {
	t.Helper()
	entry, err := store.Find(ref, thumbprint)
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

func stores(t testing.TB, store certstore.Store, location certstore.Location) []certstore.Ref {
	t.Helper()
	refs, err := store.Stores(location)
	if err != nil {
		t.Fatal(err)
	}
	return refs
}
