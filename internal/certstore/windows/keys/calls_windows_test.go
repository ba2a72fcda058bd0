package keys

import (
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
	"github.com/vaultpane/vaultpane/test/winetest"
)

func onlyWithStandIn(t *testing.T) {
	t.Helper()
	if !winetest.WithStandIn() {
		t.Skip("about the stand-in of hack/wine, which logs calls")
	}
}

// life is what a key goes through, by itself in a process of its own.
func life() error {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	where := For(certstore.LocalMachine, strings.Repeat("A", 40), false, false)
	err = errors.Join(where.Import(key, false), where.SetAccess(certstore.KeyAccess(certstore.LocalMachine, []string{"S-1-5-20"})))
	if opens, access := where.Inspect(); !opens || access == "" {
		err = errors.Join(err, errors.New("the key does not open, or has no access list"))
	}
	_, listed := List(certstore.LocalMachine)
	return errors.Join(err, listed, where.Delete())
}

// The calls are those that the documentation asks for, in its order: a key is persisted only when its policy is set, every handle and
// buffer is freed, and nothing but the name and flags is said of a key.
func TestTheCallsOfAKeysLife(t *testing.T) {
	onlyWithStandIn(t)
	path := filepath.Join(winetest.TempDir(t), "calls")
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "VAULTPANE_TEST_LIFE=1", "VAULTPANE_NCRYPT_LOG="+path)
	if out, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := strings.Split(strings.TrimSpace(strings.ReplaceAll(string(text), "\r", "")), "\n")
	const open, free = "NCryptOpenStorageProvider flags=0x0: 0x0", "NCryptFreeObject: 0x0"
	openKey := "NCryptOpenKey name=vaultpane-" + strings.Repeat("A", 40) + " flags=0x60: 0x0" // silent, of the machine
	want := []string{
		open, "NCryptImportKey type=RSAFULLPRIVATEBLOB flags=0x4e0: 0x0", // silent, of the machine, overwrite, do not finalize
		"NCryptSetProperty Export Policy size=4 flags=0x80000000: 0x0", "NCryptFinalizeKey flags=0x40: 0x0", free, free,
		open, openKey, "NCryptSetProperty Security Descr size=", free, free, // the access list alone: flags=0x4
		open, openKey, free, free,
		open, openKey, "NCryptGetProperty Security Descr flags=0x4: 0x0", "NCryptGetProperty Security Descr flags=0x4: 0x0", free, free,
		open, "NCryptEnumKeys flags=0x60: 0x0", "NCryptFreeBuffer: 0x0", "NCryptEnumKeys flags=0x60: 0x8009002a", "NCryptFreeBuffer: 0x0", free,
		open, openKey, "NCryptDeleteKey flags=0x40: 0x0", free,
		"end: 0 handles and 0 buffers are left",
	}
	for i, line := range got { // the size of a descriptor is Wine's
		if strings.HasPrefix(line, "NCryptSetProperty Security Descr size=") && strings.HasSuffix(line, "flags=0x4: 0x0") {
			got[i] = "NCryptSetProperty Security Descr size="
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

// What the documentation does not allow is an error of the stand-in: else the tests with it would show nothing.
func TestTheStandInIsStrict(t *testing.T) {
	onlyWithStandIn(t)
	var provider, key windows.Handle
	name := func(text string) *uint16 { return windows.StringToUTF16Ptr(text) }
	for what, got := range map[string]error{
		"another provider":    wincrypt.NCryptOpenStorageProvider(&provider, name("Another"), 0),
		"a flag of a key":     wincrypt.NCryptOpenStorageProvider(&provider, name(wincrypt.MS_KEY_STORAGE_PROVIDER), wincrypt.NCRYPT_MACHINE_KEY_FLAG),
		"a handle of nothing": wincrypt.NCryptOpenKey(12345, &key, name("a"), 0, 0),
	} {
		if got == nil {
			t.Errorf("%s was accepted", what)
		}
	}
	if err := wincrypt.NCryptOpenStorageProvider(&provider, name(wincrypt.MS_KEY_STORAGE_PROVIDER), 0); err != nil {
		t.Fatal(err)
	}
	blob, kind, err := cngBlob(storetest.RSAItem(t, "web").Key)
	if err != nil {
		t.Fatal(err)
	}
	damaged := append([]byte(nil), blob...)
	damaged[4]++ // the length of the modulus
	for what, try := range map[string]struct {
		blob  []byte
		kind  string
		flags uint32
		want  windows.Errno
	}{
		"a flag of another function":   {blob, kind, wincrypt.NCRYPT_ALLOW_EXPORT_FLAG, windows.Errno(windows.NTE_BAD_FLAGS)},
		"a blob of another type":       {blob, eccPrivateBlob, 0, windows.Errno(windows.NTE_BAD_TYPE)},
		"a damaged blob":               {damaged, kind, 0, windows.Errno(windows.NTE_BAD_DATA)},
		"half a blob":                  {blob[:len(blob)/2], kind, 0, windows.Errno(windows.NTE_BAD_DATA)},
		"a blob with something behind": {append(append([]byte(nil), blob...), 0), kind, 0, windows.Errno(windows.NTE_BAD_DATA)},
	} {
		err := wincrypt.NCryptImportKey(provider, 0, name(try.kind), nil, &key, &try.blob[0], uint32(len(try.blob)), try.flags)
		if !errors.Is(err, try.want) {
			t.Errorf("%s: got %v, want %v", what, err, try.want)
		}
	}
	if err := wincrypt.NCryptImportKey(provider, 0, name(kind), nil, &key, &blob[0], uint32(len(blob)), 0); err != nil {
		t.Fatal(err)
	}
	policy := [4]byte{}
	for what, got := range map[string]error{
		"a policy after the key is finalized": wincrypt.NCryptSetProperty(key, name(wincrypt.NCRYPT_EXPORT_POLICY_PROP), &policy[0], 4, 0),
		"a policy of three bytes":             wincrypt.NCryptSetProperty(key, name(wincrypt.NCRYPT_EXPORT_POLICY_PROP), &policy[0], 3, 0),
		"a key that is finalized twice":       wincrypt.NCryptFinalizeKey(key, 0),
	} {
		if got == nil {
			t.Errorf("%s was accepted", what)
		}
	}
	if err := errors.Join(wincrypt.NCryptFreeObject(key), wincrypt.NCryptFreeObject(provider)); err != nil {
		t.Error(err)
	}
	if err := wincrypt.NCryptFreeObject(key); !errors.Is(err, windows.Errno(windows.NTE_INVALID_HANDLE)) {
		t.Errorf("a handle was freed twice: %v", err)
	}
}
