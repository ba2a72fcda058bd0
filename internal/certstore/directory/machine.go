package directory

import (
	"context"
	"fmt"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
)

// Machine is the machine of a store of files: it has no Windows accounts, no bindings, no notifications, and no programs
// that use its certificates.
type Machine struct{}

var (
	_ certstore.Machine = Machine{}
	_ usedby.Programs   = Machine{}
)

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

// Read implements usedby.Programs: nothing exists here.
func (Machine) Read(usedby.Use) (usedby.Seen, error) { return usedby.Seen{}, nil }

// Switch implements usedby.Programs: there is nothing to switch.
func (Machine) Switch(_ context.Context, use usedby.Use, _ usedby.Seen, _ certstore.Ref, _ string) error {
	return fmt.Errorf("switching %s: a store of files has no programs", use)
}

// Resume implements usedby.Programs: nothing was interrupted.
func (Machine) Resume(context.Context) error { return nil }
