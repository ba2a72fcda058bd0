package directory

import (
	"context"
	"errors"

	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
)

// Machine is the machine of a store that is made of files: it knows no accounts, and nothing serves from its store unasked.
type Machine struct{}

var _ certstore.Machine = Machine{}

// errNoAccounts says why accounts cannot be granted anything here.
var errNoAccounts = errors.New("this store is made of files, which their owner alone can read: it gives no rights to Windows accounts")

// Resolve implements certstore.Machine. It always fails with an *certstore.Error that is Unsupported.
func (Machine) Resolve(account string) (string, error) {
	return "", &certstore.Error{Operation: "granting account " + account + " the private key", Unsupported: true, Err: errNoAccounts}
}

// Bindings implements certstore.Machine: there are none.
func (Machine) Bindings() (map[string][]string, error) { return nil, nil }

// Announce implements certstore.Machine: nobody listens.
func (Machine) Announce(context.Context, certstore.Ref, string, string) error { return nil }

// Watch implements certstore.Machine: nothing tells of changes.
func (Machine) Watch(ctx context.Context, _ certstore.Ref, _ func()) error {
	<-ctx.Done()
	return nil
}
