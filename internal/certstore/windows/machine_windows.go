package windows

import (
	"context"
	"errors"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// Machine is this machine, with its accounts and its bindings.
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

// Bindings implements certstore.Machine.
func (Machine) Bindings() (map[string][]string, error) {
	bound, err := boundThumbprints()
	if err != nil {
		return nil, named(err)
	}
	return bound, nil
}

// Announce implements certstore.Machine.
func (Machine) Announce(ctx context.Context, ref certstore.Ref, thumbprint, successor string) error {
	err := notifyReplaced(ctx, ref, thumbprint, successor)
	if err == nil || errors.Is(err, errNoNotification) {
		return nil
	}
	return named(err)
}

// Watch implements certstore.Machine.
func (Machine) Watch(ctx context.Context, ref certstore.Ref, changed func()) error {
	if err := watch(ctx, ref, changed); err != nil {
		return failure("watching the store", ref, err)
	}
	return nil
}
