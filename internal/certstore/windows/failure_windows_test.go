package windows

import (
	"errors"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

func TestAFailureOfTheStoreHasTheNameOfItsCode(t *testing.T) {
	_, err := New().Update(testStore, "0123456789ABCDEF0123456789ABCDEF01234567", certstore.Change{Mark: &certstore.Mark{}})
	var failed *certstore.Error
	if !errors.As(err, &failed) || !errors.Is(err, windows.Errno(windows.CRYPT_E_NOT_FOUND)) {
		t.Fatalf("got %v", err)
	}
	if got, want := failed.Err.Error(), "0x80092004 CRYPT_E_NOT_FOUND: Cannot find object or property."; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
