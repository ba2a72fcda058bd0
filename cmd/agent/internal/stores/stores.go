// Package stores chooses the certificate store that the agent works on.
package stores

import (
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
)

// backend is one kind of certificate store, and what the machine around it offers.
type backend struct {
	open    func(path string) (certstore.Store, error)
	machine machine
}

// machine is what surrounds the stores.
type machine interface {
	certstore.Machine
	usedby.Programs
}

// backends are the values of --store on this system. The file for Windows adds its own.
var backends = map[string]backend{
	"directory": {
		open:    func(path string) (certstore.Store, error) { return directory.New(path) },
		machine: directory.Machine{},
	},
}

// Options are the settings.
type Options struct {
	// Kind is the kind of certificate store, one of backends.
	Kind string
	// Path is the folder of the directory store; the Windows store does not use it.
	Path string
}

// AddTo adds the flags.
func (o *Options) AddTo(flags *pflag.FlagSet) {
	kind, path := "directory", "/var/lib/vaultpane/store"
	if runtime.GOOS == "windows" {
		kind, path = "windows", ""
	}
	flags.StringVar(&o.Kind, "store", kind, "kind of certificate store: windows, which is the machine's own, or directory, which is a folder of files")
	flags.StringVar(&o.Path, "store-path", path, "folder of the directory store")
}

// Check returns an error that names the first wrong setting, by its flag.
func (o *Options) Check() error {
	_, err := findBackend(o.Kind)
	if err == nil && o.Kind == "directory" && o.Path == "" {
		return errors.New("--store-path is empty, must be the folder of the directory store")
	}
	return err
}

// findBackend returns the backend of a value of --store.
func findBackend(name string) (backend, error) {
	found, ok := backends[name]
	if !ok {
		return backend{}, fmt.Errorf("--store is %q, must be %s on this system", name, strings.Join(slices.Sorted(maps.Keys(backends)), " or "))
	}
	return found, nil
}

// Opened is a store, and what the machine around it offers.
type Opened struct {
	Store    certstore.Store
	Machine  certstore.Machine
	Programs usedby.Programs
}

// Open opens the store.
func (o *Options) Open() (Opened, error) {
	chosen, err := findBackend(o.Kind)
	if err != nil {
		return Opened{}, err
	}
	store, err := chosen.open(o.Path)
	if err != nil {
		return Opened{}, fmt.Errorf("opening the certificate store: %w", err)
	}
	return Opened{Store: store, Machine: chosen.machine, Programs: chosen.machine}, nil
}
