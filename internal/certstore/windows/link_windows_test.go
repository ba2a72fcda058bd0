package windows

import (
	"errors"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/powershell"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/switchcert"
	"github.com/vaultpane/vaultpane/test/winetest"
)

const (
	oldThumbprint = "0123456789ABCDEF0123456789ABCDEF01234567"
	newThumbprint = "89ABCDEF0123456789ABCDEF0123456789ABCDEF"
)

func link(t *testing.T, thumbprint, successor string) {
	t.Helper()
	err := withStore(testStore, func(store windows.Handle) error { return setSuccessor(store, thumbprint, successor) })
	if err != nil {
		t.Fatal(winerror.Named(err))
	}
}

// linkOf reads the link with another handle, as another reader.
func linkOf(t *testing.T, thumbprint string) string {
	t.Helper()
	found := "the store does not contain the certificate"
	err := eachIn(testStore, func(context *windows.CertContext) (err error) {
		if thumbprintOf(context) == thumbprint {
			found, err = successorOf(context)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestSuccessor(t *testing.T) {
	item := storetest.RSAItem(t, "web")
	item.FriendlyName = "the shop's"
	thumbprint := installed(t, item)
	for _, successor := range []string{"", newThumbprint, newThumbprint, oldThumbprint, "", ""} {
		link(t, thumbprint, successor)
		if got := linkOf(t, thumbprint); got != successor {
			t.Errorf("the link is %q, want %q", got, successor)
		}
	}
	link(t, thumbprint, strings.ToLower(newThumbprint))
	if got := linkOf(t, thumbprint); got != newThumbprint {
		t.Errorf("the link is %q, want %q", got, newThumbprint)
	}
	entry, err := New().Find(testStore, thumbprint)
	if err != nil {
		t.Fatal(err)
	}
	if entry.FriendlyName != item.FriendlyName || entry.Mark == nil || *entry.Mark != item.Mark || entry.Key != certstore.KeyPresent {
		t.Errorf("the link changed another property: %+v", entry)
	}
}

func TestSuccessorThatCannotBeSet(t *testing.T) {
	thumbprint := installed(t, storetest.RSAItem(t, "web"))
	for _, successor := range []string{"no thumbprint", "ABCD", newThumbprint + "00", newThumbprint[1:]} {
		err := withStore(testStore, func(store windows.Handle) error { return setSuccessor(store, thumbprint, successor) })
		if err == nil {
			t.Errorf("%q was set", successor)
		}
	}
	err := withStore(testStore, func(store windows.Handle) error { return setSuccessor(store, oldThumbprint, newThumbprint) })
	if !errors.Is(err, windows.Errno(windows.CRYPT_E_NOT_FOUND)) {
		t.Errorf("got %v", err)
	}
}

// Wine's powershell.exe does nothing and exits with 0, which does not count as a notification.
func TestNotify(t *testing.T) {
	old, successor := installed(t, storetest.RSAItem(t, "web")), installed(t, storetest.RSAItem(t, "web"))
	err := switchcert.Notify(t.Context(), testStore, old, successor)
	if winetest.OnWine() {
		if !errors.Is(err, powershell.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if !replacementLogged(t, old, successor) {
		t.Error("there is no event 1001 about the two certificates")
	}
}

// replacementLogged looks for event 1001 of two certificates in the channel of the machine.
func replacementLogged(t *testing.T, old, successor string) bool {
	t.Helper()
	const channel = "Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational"
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		events, err := exec.Command("wevtutil", "query-events", channel, "/query:*[System[EventID=1001]]", "/count:20", "/reversedirection:true", "/format:xml").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, events)
		}
		text := strings.ToUpper(string(events))
		if strings.Contains(text, old) && strings.Contains(text, successor) {
			return true
		}
	}
	return false
}

// Windows only.
func TestNotifyOfACertificateThatDoesNotExist(t *testing.T) {
	if winetest.OnWine() {
		t.Skip("Wine has no PowerShell")
	}
	err := switchcert.Notify(t.Context(), testStore, oldThumbprint, newThumbprint)
	if err == nil || errors.Is(err, powershell.ErrUnavailable) || !strings.Contains(err.Error(), oldThumbprint) {
		t.Errorf("got %v", err)
	}
}
