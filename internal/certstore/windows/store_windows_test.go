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
)

// onWine tells Wine from Windows by an export that only Wine's ntdll has
// (https://gitlab.winehq.org/wine/wine/-/wikis/Developer-FAQ).
func onWine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

func TestTheWindowsStoreKeepsTheStoresPromises(t *testing.T) {
	storetest.Run(t, storetest.Machine{
		Open:        func() certstore.Store { return New() },
		Locations:   []certstore.Location{certstore.LocalMachine, certstore.CurrentUser},
		StorePrefix: "VaultpaneTest",
		LoseMark: func(t testing.TB, ref certstore.Ref, thumbprint string) {
			if err := withStore(ref, func(store windows.Handle) error { return remark(store, thumbprint, "") }); err != nil {
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
			if err := containerFor(ref.Location, thumbprint, false, true).delete(); err != nil {
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

func TestCAPIHoldsEverySizeOfRSA(t *testing.T) {
	for _, bits := range []int{2048, 3072, 4096} {
		installed(t, storetest.RSAItemOf(t, "web", bits))
	}
}

func TestRemovingDeletesTheContainer(t *testing.T) {
	thumbprint := installed(t, storetest.RSAItem(t, "web"))
	where := containerFor(testStore.Location, thumbprint, false, true)
	if !where.opens() {
		t.Fatalf("the container %s is not there", where.name)
	}
	if err := New().Remove(testStore, thumbprint); err != nil {
		t.Fatal(err)
	}
	if where.opens() {
		t.Errorf("the container %s is still there", where.name)
	}
}

func TestAChangedOptionLeavesOneContainer(t *testing.T) {
	item := storetest.RSAItem(t, "web")
	thumbprint := installed(t, item)
	item.Mark.Exportable = true
	installed(t, item)
	if containerFor(testStore.Location, thumbprint, false, true).opens() {
		t.Error("the old container is still there")
	}
	if !containerFor(testStore.Location, thumbprint, true, true).opens() {
		t.Error("the new container is not there")
	}
}

func TestAnEmptyContainerOfACutOffAttemptIsUsed(t *testing.T) {
	item := storetest.RSAItem(t, "web")
	where := containerFor(testStore.Location, certstore.Thumbprint(item.Certificate), false, true)
	provider, err := where.acquire(windows.CRYPT_NEWKEYSET)
	if err != nil {
		t.Fatal(err)
	}
	if err := release(provider); err != nil {
		t.Fatal(err)
	}
	installed(t, item)
}

func TestSomeoneElsesPropertiesStay(t *testing.T) {
	const autoEnroll = 21 // CERT_AUTO_ENROLL_PROP_ID, which Vaultpane has nothing to do with
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
		t.Errorf("the property is gone (%v)", err)
	}
}

func TestCAPIHoldsNoECKeyAndSaysWhatToDo(t *testing.T) {
	_, err := New().Install(testStore, storetest.ECItem(t, "web", elliptic.P256()))
	var failure *certstore.Error
	if !errors.As(err, &failure) || !failure.Unsupported || !strings.Contains(err.Error(), "use keyStorageProvider CNG") {
		t.Errorf("got %v", err)
	}
}
