package windows

import (
	"context"
	"errors"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/powershell"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/switchcert"
)

// Machine is this machine, with its accounts, and the programs that use its certificates.
type Machine struct{}

var _ certstore.Machine = Machine{}

// Resolve implements certstore.Machine.
func (Machine) Resolve(account string) (string, error) {
	sid, err := resolveAccount(account)
	var unknown *certstore.UnknownAccount
	if err == nil || errors.As(err, &unknown) {
		return sid, err
	}
	return "", failure("resolving an account", certstore.Ref{}, err)
}

// Announce implements certstore.Machine.
func (Machine) Announce(ctx context.Context, ref certstore.Ref, thumbprint, successor string) error {
	err := switchcert.Notify(ctx, ref, thumbprint, successor)
	if err == nil || errors.Is(err, powershell.ErrUnavailable) {
		return nil
	}
	return winerror.Named(err)
}

// Watch implements certstore.Machine.
func (Machine) Watch(ctx context.Context, ref certstore.Ref, changed func()) error {
	if err := watch(ctx, ref, changed); err != nil {
		return failure("watching the store", ref, err)
	}
	return nil
}
