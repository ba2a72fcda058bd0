package directory

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
	"github.com/vaultpane/vaultpane/test/winetest"
)

var my = certstore.Ref{Location: certstore.LocalMachine, Name: "MY"}

func open(t testing.TB, root string) *Store {
	t.Helper()
	store, err := New(root)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

func install(t testing.TB, store *Store) *certstore.Entry {
	t.Helper()
	entry, err := store.Install(my, storetest.RSAItem(t, "web"))
	if err != nil {
		t.Fatal(err)
	}
	return entry
}

// aged sets the modification time of a file to a minute ago.
func aged(t testing.TB, path string) {
	t.Helper()
	then := time.Now().Add(-time.Minute)
	if err := os.Chtimes(path, then, then); err != nil {
		t.Fatal(err)
	}
}

func TestTheDirectoryConforms(t *testing.T) {
	root := winetest.TempDir(t)
	storetest.Run(t, storetest.Machine{
		Open:        func() certstore.Store { return open(t, root) },
		Locations:   []certstore.Location{certstore.LocalMachine, certstore.CurrentUser},
		StorePrefix: "Suite",
		LoseMark: func(t testing.TB, ref certstore.Ref, thumbprint string) {
			path := filepath.Join(root, string(ref.Location), strings.ToUpper(ref.Name), thumbprint+".pem")
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			_, rest, _ := strings.Cut(string(text), "\n")
			if err := os.WriteFile(path, []byte(rest), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		LoseCertificate: func(t testing.TB, ref certstore.Ref, thumbprint string) {
			path := filepath.Join(root, string(ref.Location), strings.ToUpper(ref.Name), thumbprint+".pem")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			aged(t, strings.TrimSuffix(path, ".pem")+".key")
		},
		LoseKey: func(t testing.TB, ref certstore.Ref, thumbprint string) {
			path := filepath.Join(root, string(ref.Location), strings.ToUpper(ref.Name), thumbprint+".key")
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
		},
	})
}

func TestARelativeFolderIsRefused(t *testing.T) {
	if _, err := New("store"); err == nil || !strings.Contains(err.Error(), "not an absolute path") {
		t.Errorf("got %v", err)
	}
}

func TestFilesAreReadableByTheirOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no file modes")
	}
	root := winetest.TempDir(t)
	install(t, open(t, filepath.Join(root, "store")))
	err := filepath.WalkDir(filepath.Join(root, "store"), func(path string, file fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := file.Info()
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %s", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestADamagedFileIsIgnoredAndReplaced(t *testing.T) {
	root := winetest.TempDir(t)
	store, item := open(t, root), storetest.RSAItem(t, "web")
	folder := filepath.Join(root, "LocalMachine", "MY")
	path := filepath.Join(folder, certstore.Thumbprint(item.Certificate)+".pem")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{"empty": "", "no PEM": "hello", "no certificate": "-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n"} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			if entries, err := store.List(my); err != nil || len(entries) != 0 {
				t.Fatalf("List returns %v, %v", entries, err)
			}
			if _, err := store.Install(my, item); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestOtherFilesAreIgnored(t *testing.T) {
	root := winetest.TempDir(t)
	store := open(t, root)
	entry := install(t, store)
	folder := filepath.Join(root, "LocalMachine", "MY")
	for _, name := range []string{"notes.txt", "web.pem", entry.Thumbprint + ".pem.unfinished"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if entries, err := store.List(my); err != nil || len(entries) != 1 {
		t.Errorf("List returns %v, %v", entries, err)
	}
}

func TestAnotherToolsCertificateHasNoMark(t *testing.T) {
	root := winetest.TempDir(t)
	entry := install(t, open(t, root))
	path := filepath.Join(root, "LocalMachine", "MY", entry.Thumbprint+".pem")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "-----BEGIN")
	for lines, unknown := range map[string]bool{"": false, "# a comment\n": false, "# vaultpane/9 something new\n": true} {
		if err := os.WriteFile(path, []byte(lines+"-----BEGIN"+block), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := open(t, root).Find(my, entry.Thumbprint)
		if err != nil || got == nil || got.Mark != nil || got.UnknownMark != unknown {
			t.Errorf("with %q: %+v, %v", lines, got, err)
		}
	}
}

func TestAnotherCertificatesKeyIsMissing(t *testing.T) {
	root := winetest.TempDir(t)
	entry := install(t, open(t, root))
	path := filepath.Join(root, "LocalMachine", "MY", entry.Thumbprint+".key")
	for _, content := range []string{"", "hello", "-----BEGIN PRIVATE KEY-----\naGVsbG8=\n-----END PRIVATE KEY-----\n"} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := open(t, root).Find(my, entry.Thumbprint)
		if err != nil || got == nil || got.Key != certstore.KeyMissing {
			t.Errorf("with %q: %+v, %v", content, got, err)
		}
	}
}

func TestADirectoryThatCannotBeCreatedIsAnError(t *testing.T) {
	root := winetest.TempDir(t)
	if err := os.WriteFile(filepath.Join(root, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := open(t, filepath.Join(root, "file")).Install(my, storetest.RSAItem(t, "web"))
	var failure *certstore.Error
	if !errors.As(err, &failure) {
		t.Errorf("got %v", err)
	}
}
