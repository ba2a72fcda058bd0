package directory

import (
	"context"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// Machine is the machine of a store of files: it has no Windows accounts, no bindings and no notifications.
type Machine struct{}

var _ certstore.Machine = Machine{}

// Resolve implements certstore.Machine: there are no Windows accounts, and only a file's owner can read it.
func (Machine) Resolve(string) (string, error) { return "", nil }

// Bindings implements certstore.Machine: there are none.
func (Machine) Bindings() (map[string][]string, error) { return nil, nil }

// Announce implements certstore.Machine: there are no notifications.
func (Machine) Announce(context.Context, certstore.Ref, string, string) error { return nil }

// Watch implements certstore.Machine: it cannot watch, and waits for the context.
func (Machine) Watch(ctx context.Context, _ certstore.Ref, _ func()) error {
	<-ctx.Done()
	return nil
}
