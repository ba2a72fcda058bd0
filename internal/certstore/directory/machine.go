package directory

import (
	"context"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// Machine is the machine of a store that is made of files: it knows no accounts, and nothing serves from its store unasked.
type Machine struct{}

var _ certstore.Machine = Machine{}

// Resolve implements certstore.Machine: there are no Windows accounts here, and a file's owner alone can read it.
func (Machine) Resolve(string) (string, error) { return "", nil }

// Bindings implements certstore.Machine: there are none.
func (Machine) Bindings() (map[string][]string, error) { return nil, nil }

// Announce implements certstore.Machine: nobody listens.
func (Machine) Announce(context.Context, certstore.Ref, string, string) error { return nil }

// Watch implements certstore.Machine: nothing tells of changes.
func (Machine) Watch(ctx context.Context, _ certstore.Ref, _ func()) error {
	<-ctx.Done()
	return nil
}
