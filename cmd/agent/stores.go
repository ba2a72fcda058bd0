package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
)

// backend is one kind of certificate store, and what the machine around it offers.
type backend struct {
	open    func(path string) (certstore.Store, error)
	machine certstore.Machine
}

// backends are the values of --store on this system. The file for Windows adds its own.
var backends = map[string]backend{
	"directory": {
		open:    func(path string) (certstore.Store, error) { return directory.New(path) },
		machine: directory.Machine{},
	},
}

// findBackend returns the backend of a value of --store.
func findBackend(name string) (backend, error) {
	found, ok := backends[name]
	if !ok {
		return backend{}, fmt.Errorf("--store is %q, must be %s on this system", name, strings.Join(slices.Sorted(maps.Keys(backends)), " or "))
	}
	return found, nil
}

// openStore opens the certificate store that the options choose.
func (o options) openStore() (certstore.Store, certstore.Machine, error) {
	chosen, err := findBackend(o.Store)
	if err != nil {
		return nil, nil, err
	}
	store, err := chosen.open(o.StorePath)
	if err != nil {
		return nil, nil, fmt.Errorf("opening the certificate store: %w", err)
	}
	return store, chosen.machine, nil
}
