package switchcert

import (
	"errors"
	"testing"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/powershell"
)

func TestNotifyRejectsAnInvalidThumbprint(t *testing.T) {
	err := Notify(t.Context(), certstore.Ref{Location: certstore.LocalMachine, Name: "MY"}, "'", newThumbprint)
	if err == nil || errors.Is(err, powershell.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}
