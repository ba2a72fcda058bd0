//go:build unix

package directory

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
)

// filesIn returns the file names in a store's directory.
func filesIn(t *testing.T, folder string) []string {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range files {
		names = append(names, file.Name())
	}
	return names
}

// The files that a process leaves when it is killed during an installation, a change or a removal are removed, and other files
// are not.
func TestTheLeftoversOfAKilledProcessAreRemoved(t *testing.T) {
	root := t.TempDir()
	folder := filepath.Join(root, "LocalMachine", "MY")
	store := open(t, root)
	kept := install(t, store)
	key, err := os.ReadFile(filepath.Join(folder, kept.Thumbprint+".key"))
	if err != nil {
		t.Fatal(err)
	}
	_, foreign, _ := strings.Cut(string(key), "\n")
	other := strings.Repeat("A", 40)
	leftovers := map[string]string{
		strings.Repeat("1", 40) + ".key":            string(key),      // killed between the key and the certificate
		strings.Repeat("2", 40) + ".key":            string(key[:20]), // while the key was written
		strings.Repeat("3", 40) + ".key":            "",               // before its first byte
		strings.Repeat("4", 40) + ".pem.unfinished": "half",           // while the certificate was written
		kept.Thumbprint + ".pem.unfinished":         "half",           // while its properties were changed
	}
	others := map[string]string{
		other + ".key": foreign, "notes.key": string(key), "notes.pem.unfinished": "x", other + ".txt": "x", strings.ToLower(other) + ".key": string(key),
	}
	want := []string{kept.Thumbprint + ".pem", kept.Thumbprint + ".key"}
	for name, content := range others {
		want = append(want, name)
		leftovers[name] = content
	}
	for name, content := range leftovers {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if removed, err := store.RemoveOrphanedKeys(certstore.LocalMachine); err != nil || removed != 0 {
		t.Errorf("removed %d files that may be incomplete (%v)", removed, err)
	}
	for name := range leftovers {
		aged(t, filepath.Join(folder, name))
	}
	removed, err := store.RemoveOrphanedKeys(certstore.LocalMachine)
	if err != nil || removed != 5 {
		t.Errorf("removed %d, want 5 (%v)", removed, err)
	}
	slices.Sort(want)
	if got := filesIn(t, folder); !slices.Equal(got, want) {
		t.Errorf("left are %v, want %v", got, want)
	}
	if entry, err := open(t, root).Find(my, kept.Thumbprint); err != nil || entry.Key != certstore.KeyPresent {
		t.Errorf("the certificate is %+v, %v", entry, err)
	}
}

// An unreadable file in the place of a certificate must neither hide nor block other certificates.
func TestAnUnreadableFileHidesNoOtherCertificate(t *testing.T) {
	tests := map[string]func(path string) error{
		"a folder": func(path string) error { return os.Mkdir(path+".pem", 0o700) },
		"a pipe":   func(path string) error { return syscall.Mkfifo(path+".pem", 0o600) },
		"a pipe in the place of a key": func(path string) error {
			return syscall.Mkfifo(path+".key", 0o600)
		},
	}
	for name, put := range tests {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			kept := install(t, open(t, root))
			item := storetest.RSAItem(t, "other")
			path := filepath.Join(root, "LocalMachine", "MY", certstore.Thumbprint(item.Certificate))
			if err := put(path); err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() {
				defer close(done)
				store := open(t, root)
				if entries, err := store.List(my); err != nil || len(entries) != 1 || entries[0].Thumbprint != kept.Thumbprint {
					t.Errorf("List returns %v, %v", entries, err)
				}
				// It is replaced if possible, and an error otherwise.
				if entry, err := store.Install(my, item); err == nil && entry.Key != certstore.KeyPresent {
					t.Errorf("installed is %+v", entry)
				}
				if _, err := store.RemoveOrphanedKeys(certstore.LocalMachine); err != nil {
					t.Errorf("RemoveOrphanedKeys: %v", err)
				}
			}()
			select {
			case <-done:
			case <-time.After(time.Minute):
				t.Fatal("the store blocks")
			}
		})
	}
}
