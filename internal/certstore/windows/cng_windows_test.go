package windows

import (
	"crypto"
	"crypto/elliptic"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
	"software.sslmate.com/src/go-pkcs12"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/keys"
	"github.com/vaultpane/vaultpane/test/winetest"
)

// Functions that only tests need (ncrypt.h, wincrypt.h).
var (
	ncryptEnumKeys     = windows.NewLazySystemDLL("ncrypt.dll").NewProc("NCryptEnumKeys")
	ncryptFreeBuffer   = windows.NewLazySystemDLL("ncrypt.dll").NewProc("NCryptFreeBuffer")
	ncryptExportKey    = windows.NewLazySystemDLL("ncrypt.dll").NewProc("NCryptExportKey")
	pfxExportCertStore = windows.NewLazySystemDLL("crypt32.dll").NewProc("PFXExportCertStoreEx")
)

func onlyWithCNG(t *testing.T) {
	t.Helper()
	if winetest.WithoutCNG() {
		t.Skip("Wine has no keys in CNG, except with the stand-in of hack/wine")
	}
}

func inCNG(item certstore.Item) certstore.Item {
	item.Mark.Provider = "CNG"
	return item
}

// installedIn is installed for any store.
func installedIn(t *testing.T, ref certstore.Ref, item certstore.Item) string {
	t.Helper()
	thumbprint := certstore.Thumbprint(item.Certificate)
	t.Cleanup(func() {
		if err := New().Remove(ref, thumbprint); err != nil {
			t.Error(err)
		}
	})
	entry, err := New().Install(ref, item)
	if err != nil {
		t.Fatal(err)
	}
	if entry.Key != certstore.KeyPresent {
		t.Fatalf("the key is %s", entry.Key)
	}
	return thumbprint
}

// Windows imports every kind of key into CNG, only into the key set of the location. Wine without the stand-in does not support CNG,
// and the error must say so.
func TestCNG(t *testing.T) {
	items := map[string]certstore.Item{
		"RSA 2048": storetest.RSAItem(t, "web"), "RSA 3072": storetest.RSAItemOf(t, "web", 3072), "RSA 4096": storetest.RSAItemOf(t, "web", 4096),
		"P-256": storetest.ECItem(t, "web", elliptic.P256()), "P-384": storetest.ECItem(t, "web", elliptic.P384()), "P-521": storetest.ECItem(t, "web", elliptic.P521()),
	}
	for name, item := range items {
		if winetest.WithStandIn() && (name == "P-384" || name == "P-521") {
			t.Logf("%s is left out: Wine's bcrypt does not have it", name)
			continue
		}
		for _, provider := range []string{"CNG", ""} {
			for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
				t.Run(name+" with keyStorageProvider "+provider+" in "+string(location), func(t *testing.T) {
					item.Mark.Provider = provider
					testCNG(t, certstore.Ref{Location: location, Name: testStore.Name}, item)
				})
			}
		}
	}
}

func testCNG(t *testing.T, ref certstore.Ref, item certstore.Item) {
	if winetest.WithoutCNG() {
		_, err := New().Install(ref, item)
		var failure *certstore.Error
		if !errors.As(err, &failure) || !failure.Unsupported {
			t.Errorf("got %v", err)
		}
		return
	}
	thumbprint := installedIn(t, ref, item)
	where := keys.For(ref.Location, thumbprint, false, false)
	other := where
	other.Machine = !where.Machine
	if !where.Opens() || other.Opens() {
		t.Errorf("in its key set the key opens: %t, in the other: %t", where.Opens(), other.Opens())
	}
	if err := New().Remove(ref, thumbprint); err != nil {
		t.Fatal(err)
	}
	if where.Opens() {
		t.Error("the key still exists")
	}
}

// No key can be exported in plaintext, and only exportable ones can be exported in a PFX.
func TestExportOfAKeyInCNG(t *testing.T) {
	onlyWithCNG(t)
	for name, item := range map[string]certstore.Item{"RSA": storetest.RSAItem(t, "web"), "EC": storetest.ECItem(t, "web", elliptic.P256())} {
		for _, exportable := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				item := inCNG(item)
				item.Mark.Exportable = exportable
				thumbprint := installedIn(t, testStore, item)
				blobType := map[string]string{"RSA": "RSAFULLPRIVATEBLOB", "EC": "ECCPRIVATEBLOB"}[name]
				if exportsPlain(t, keys.For(testStore.Location, thumbprint, exportable, false), blobType) {
					t.Error("the key was exported in plaintext")
				}
				if winetest.OnWine() {
					return // Wine has no PFXExportCertStoreEx
				}
				pfx, err := exportPFX(t, thumbprint)
				if !exportable {
					if err == nil {
						t.Error("the key was exported")
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				key, _, err := pkcs12.Decode(pfx, "secret")
				if err != nil {
					t.Fatal(err)
				}
				public, ok := item.Key.Public().(interface{ Equal(crypto.PublicKey) bool })
				signer, isKey := key.(crypto.Signer)
				if !ok || !isKey || !public.Equal(signer.Public()) {
					t.Errorf("it is another key: %T", key)
				}
			})
		}
	}
}

// withProvider opens a key storage provider and frees it.
func withProvider(t *testing.T, name string, act func(provider windows.Handle)) {
	t.Helper()
	var provider windows.Handle
	if err := wincrypt.NCryptOpenStorageProvider(&provider, wideOf(t, name), 0); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = wincrypt.NCryptFreeObject(provider) }()
	act(provider)
}

// withKey opens the key of a container in CNG and frees it.
func withKey(t *testing.T, where keys.Container, act func(key windows.Handle)) {
	t.Helper()
	flags := uint32(wincrypt.NCRYPT_SILENT_FLAG)
	if where.Machine {
		flags |= wincrypt.NCRYPT_MACHINE_KEY_FLAG
	}
	withProvider(t, where.Provider, func(provider windows.Handle) {
		var key windows.Handle
		if err := wincrypt.NCryptOpenKey(provider, &key, wideOf(t, where.Name), where.KeySpec, flags); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = wincrypt.NCryptFreeObject(key) }()
		act(key)
	})
}

// exportsPlain reports whether a key can be exported in plaintext
// (https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptexportkey).
func exportsPlain(t *testing.T, where keys.Container, blobType string) bool {
	t.Helper()
	exported := false
	withKey(t, where, func(key windows.Handle) {
		var size uint32
		blob := make([]byte, 16<<10)
		status, _, _ := ncryptExportKey.Call(uintptr(key), 0, uintptr(unsafe.Pointer(wideOf(t, blobType))), 0,
			uintptr(unsafe.Pointer(&blob[0])), uintptr(len(blob)), uintptr(unsafe.Pointer(&size)), 0)
		exported = status == 0
	})
	return exported
}

// exportPFX exports a certificate of testStore with its key as the certificate snap-in does
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-pfxexportcertstoreex).
func exportPFX(t *testing.T, thumbprint string) (pfx []byte, err error) {
	t.Helper()
	memory, err := windows.CertOpenStore(windows.CERT_STORE_PROV_MEMORY, 0, 0, 0, 0)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, closeStore(memory)) }()
	err = eachIn(testStore, func(context *windows.CertContext) error {
		if thumbprintOf(context) != thumbprint {
			return nil
		}
		return windows.CertAddCertificateContextToStore(memory, context, windows.CERT_STORE_ADD_ALWAYS, nil)
	})
	if err != nil {
		return nil, err
	}
	const flags = 0x1 | 0x2 | 0x4 // REPORT_NO_PRIVATE_KEY, REPORT_NOT_ABLE_TO_EXPORT_PRIVATE_KEY, EXPORT_PRIVATE_KEYS
	var blob windows.CryptDataBlob
	for range 2 { // for the size, and for the content
		if ok, _, err := pfxExportCertStore.Call(uintptr(memory), uintptr(unsafe.Pointer(&blob)), uintptr(unsafe.Pointer(wideOf(t, "secret"))), 0, flags); ok == 0 {
			return nil, err
		}
		if pfx == nil {
			pfx = make([]byte, blob.Size)
			blob.Data = &pfx[0]
		}
	}
	return pfx[:blob.Size], nil
}

func TestRoundsInCNGLeaveNoKey(t *testing.T) {
	onlyWithCNG(t)
	rounds := 200
	if winetest.OnWine() {
		rounds = 20 // the stand-in opens a file for each call
	}
	for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		ref := certstore.Ref{Location: location, Name: testStore.Name}
		item := inCNG(storetest.RSAItem(t, "web"))
		other := item
		other.Mark.Exportable, other.Mark.Version = true, "fedcba9876543210fedcba9876543210"
		before := keysThere(t, location)
		for range rounds {
			installedOnce(t, ref, item, other)
		}
		if after := keysThere(t, location); !slices.Equal(after, before) {
			t.Errorf("the keys of %s changed from %v to %v", location, before, after)
		}
	}
}

// installedOnce installs and replaces a certificate, and removes it.
func installedOnce(t *testing.T, ref certstore.Ref, items ...certstore.Item) {
	t.Helper()
	for _, item := range items {
		if entry, err := New().Install(ref, item); err != nil || entry.Key != certstore.KeyPresent {
			t.Fatalf("%+v: %v", entry, err)
		}
	}
	if err := New().Remove(ref, certstore.Thumbprint(items[0].Certificate)); err != nil {
		t.Fatal(err)
	}
}

// keysThere returns the names of all keys in CNG of a location
// (https://learn.microsoft.com/windows/win32/api/ncrypt/nf-ncrypt-ncryptenumkeys).
func keysThere(t *testing.T, location certstore.Location) []string {
	t.Helper()
	flags := uintptr(wincrypt.NCRYPT_SILENT_FLAG)
	if location == certstore.LocalMachine {
		flags |= wincrypt.NCRYPT_MACHINE_KEY_FLAG
	}
	var names []string
	withProvider(t, wincrypt.MS_KEY_STORAGE_PROVIDER, func(provider windows.Handle) {
		var state uintptr
		defer func() { _, _, _ = ncryptFreeBuffer.Call(state) }() // memory of a test
		for {
			var name **uint16 // NCryptKeyName begins with the pointer to the name
			status, _, _ := ncryptEnumKeys.Call(uintptr(provider), 0, uintptr(unsafe.Pointer(&name)), uintptr(unsafe.Pointer(&state)), flags)
			if uint32(status) == uint32(windows.NTE_NO_MORE_ITEMS) {
				return
			}
			if status != 0 {
				t.Fatal(windows.Errno(status))
			}
			names = append(names, windows.UTF16PtrToString(*name))
			_, _, _ = ncryptFreeBuffer.Call(uintptr(unsafe.Pointer(name))) // as above
		}
	})
	slices.Sort(names)
	return names
}

func TestAnotherProviderLeavesOneContainer(t *testing.T) {
	onlyWithCNG(t)
	item := storetest.RSAItem(t, "web")
	for _, options := range []struct {
		provider   string
		exportable bool
	}{{"CAPI", false}, {"CNG", false}, {"CNG", true}, {"CAPI", true}, {"CNG", false}} {
		item.Mark.Provider, item.Mark.Exportable = options.provider, options.exportable
		thumbprint := installed(t, item)
		current := keys.For(testStore.Location, thumbprint, options.exportable, options.provider == keys.ProviderCAPI)
		for _, one := range keys.AllFor(testStore.Location, thumbprint) {
			if one.Opens() != (one == current) {
				t.Errorf("%+v: the container %s in %s exists: %t", options, one.Name, one.Provider, one.Opens())
			}
		}
	}
}

// keyFile returns the file of a key of the machine in CNG
// (https://learn.microsoft.com/windows/win32/seccng/key-storage-and-retrieval#key-directories-and-files).
func keyFile(t *testing.T, where keys.Container) string {
	t.Helper()
	var unique [1024]byte
	var size uint32
	withKey(t, where, func(key windows.Handle) {
		if err := wincrypt.NCryptGetProperty(key, wideOf(t, "Unique Name"), &unique[0], uint32(len(unique)), &size, 0); err != nil || size < 2 {
			t.Fatalf("the key has no unique name: %v", err)
		}
	})
	name := windows.UTF16ToString(unsafe.Slice((*uint16)(unsafe.Pointer(&unique[0])), size/2))
	return filepath.Join(os.Getenv("ProgramData"), "Microsoft", "Crypto", "Keys", name)
}

// There is no notification of a deleted key file, so it is found by opening the key.
func TestADeletedKeyFileIsFoundAndRepaired(t *testing.T) {
	onlyWithCNG(t)
	item := inCNG(storetest.RSAItem(t, "web"))
	thumbprint := installed(t, item)
	if err := os.Remove(keyFile(t, keys.For(testStore.Location, thumbprint, false, false))); err != nil {
		t.Fatal(err)
	}
	entry, err := New().Find(testStore, thumbprint)
	if err != nil || entry.Key != certstore.KeyMissing {
		t.Fatalf("got %+v (%v), want a missing key", entry, err)
	}
	installed(t, item)
}

// Windows only: the access list is that of the key's file, which applies to every process that opens the key.
func TestTheKeysFileHasTheAccessList(t *testing.T) {
	if winetest.OnWine() {
		t.Skip("Wine's files have the rights of the host")
	}
	item := inCNG(storetest.RSAItem(t, "web"))
	item.Access = certstore.KeyAccess(testStore.Location, []string{"S-1-5-20"})
	thumbprint := installed(t, item)
	file := keyFile(t, keys.For(testStore.Location, thumbprint, false, false))
	descriptor, err := windows.GetNamedSecurityInfo(file, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		t.Fatal(err)
	}
	got, err := keys.AccessOf(unsafe.Slice((*byte)(unsafe.Pointer(descriptor)), descriptor.Length()))
	if err != nil || got != item.Access {
		t.Errorf("%s has %s (%v), want %s", strings.TrimPrefix(file, os.Getenv("ProgramData")), got, err, item.Access)
	}
}
