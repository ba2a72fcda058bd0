package windows

import (
	"crypto/elliptic"
	"errors"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/keys"
)

func TestTheWindowsStoreConforms(t *testing.T) {
	storetest.Run(t, storetest.Machine{
		Open:        func() certstore.Store { return New() },
		Locations:   []certstore.Location{certstore.LocalMachine, certstore.CurrentUser},
		StorePrefix: "VaultpaneTest",
		LoseMark: func(t testing.TB, ref certstore.Ref, thumbprint string) {
			if err := withStore(ref, func(store windows.Handle) error { return setMark(store, thumbprint, "") }); err != nil {
				t.Fatal(err)
			}
		},
		LoseCertificate: func(t testing.TB, ref certstore.Ref, thumbprint string) {
			err := withStore(ref, func(store windows.Handle) error {
				context, err := findCertificate(store, thumbprint)
				if err != nil {
					return err
				}
				return windows.CertDeleteCertificateFromStore(context) // frees it too
			})
			if err != nil {
				t.Fatal(err)
			}
		},
		LoseKey: func(t testing.TB, ref certstore.Ref, thumbprint string) {
			if err := keys.For(ref.Location, thumbprint, false, true).Delete(); err != nil {
				t.Fatal(err)
			}
		},
	})
}

var testStore = certstore.Ref{Location: certstore.LocalMachine, Name: "VaultpaneTestKeys"}

func installed(t *testing.T, item certstore.Item) string {
	t.Helper()
	thumbprint := certstore.Thumbprint(item.Certificate)
	t.Cleanup(func() {
		if err := New().Remove(testStore, thumbprint); err != nil {
			t.Error(err)
		}
	})
	entry, err := New().Install(testStore, item)
	if err != nil {
		t.Fatal(err)
	}
	if entry.Key != certstore.KeyPresent {
		t.Fatalf("the key is %s", entry.Key)
	}
	return thumbprint
}

func TestCAPIImportsRSAKeysOfEverySize(t *testing.T) {
	for _, bits := range []int{2048, 3072, 4096} {
		installed(t, storetest.RSAItemOf(t, "web", bits))
	}
}

func TestRemovingDeletesTheContainer(t *testing.T) {
	thumbprint := installed(t, storetest.RSAItem(t, "web"))
	where := keys.For(testStore.Location, thumbprint, false, true)
	if !where.Opens() {
		t.Fatalf("the container %s does not exist", where.Name)
	}
	if err := New().Remove(testStore, thumbprint); err != nil {
		t.Fatal(err)
	}
	if where.Opens() {
		t.Errorf("the container %s still exists", where.Name)
	}
}

func TestAChangedOptionLeavesOneContainer(t *testing.T) {
	item := storetest.RSAItem(t, "web")
	thumbprint := installed(t, item)
	item.Mark.Exportable = true
	installed(t, item)
	if keys.For(testStore.Location, thumbprint, false, true).Opens() {
		t.Error("the old container still exists")
	}
	if !keys.For(testStore.Location, thumbprint, true, true).Opens() {
		t.Error("the new container does not exist")
	}
}

func TestAnEmptyContainerOfAnInterruptedAttemptIsUsed(t *testing.T) {
	item := storetest.RSAItem(t, "web")
	where := keys.For(testStore.Location, certstore.Thumbprint(item.Certificate), false, true)
	var provider windows.Handle
	const flags = windows.CRYPT_NEWKEYSET | windows.CRYPT_MACHINE_KEYSET | windows.CRYPT_SILENT
	if err := windows.CryptAcquireContext(&provider, wideOf(t, where.Name), wideOf(t, where.Provider), where.ProviderType, flags); err != nil {
		t.Fatal(err)
	}
	if err := windows.CryptReleaseContext(provider, 0); err != nil {
		t.Fatal(err)
	}
	installed(t, item)
}

func TestOtherToolsPropertiesStay(t *testing.T) {
	const autoEnroll = 21 // CERT_AUTO_ENROLL_PROP_ID, which Vaultpane does not use
	item := storetest.RSAItem(t, "web")
	thumbprint := installed(t, item)
	value := windows.CryptDataBlob{Size: 20, Data: &make([]byte, 20)[0]}
	err := withStore(testStore, func(store windows.Handle) error {
		return withCertificate(store, thumbprint, func(context *windows.CertContext) error {
			return replace(store, context, func(copied *windows.CertContext) error {
				return wincrypt.CertSetCertificateContextProperty(copied, autoEnroll, 0, unsafe.Pointer(&value))
			})
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	item.Mark.Version = "fedcba9876543210fedcba9876543210"
	installed(t, item)
	if _, err := New().Update(testStore, thumbprint, certstore.Change{Mark: &item.Mark}); err != nil {
		t.Fatal(err)
	}
	found := false
	err = eachIn(testStore, func(context *windows.CertContext) error {
		value, err := property(context, autoEnroll)
		found = found || (thumbprintOf(context) == thumbprint && len(value) == 20)
		return err
	})
	if err != nil || !found {
		t.Errorf("the property was lost (%v)", err)
	}
}

func TestCAPIRejectsECKeysAndSaysWhatToDo(t *testing.T) {
	_, err := New().Install(testStore, storetest.ECItem(t, "web", elliptic.P256()))
	var failure *certstore.Error
	if !errors.As(err, &failure) || !failure.Unsupported || !strings.Contains(err.Error(), "use keyStorageProvider CNG") {
		t.Errorf("got %v", err)
	}
}
