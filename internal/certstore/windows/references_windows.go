package windows

import (
	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/keys"
)

// deleteUnused deletes the containers that no certificate in any store of the location refers to.
func deleteUnused(location certstore.Location, candidates []keys.Container) error {
	used, err := usedContainers(location)
	if err != nil {
		return err
	}
	for _, candidate := range candidates {
		inUse := false
		for _, one := range used {
			inUse = inUse || one.Same(candidate)
		}
		if inUse {
			continue
		}
		if err := candidate.Delete(); err != nil {
			return err
		}
	}
	return nil
}

// usedContainers returns Vaultpane's containers that certificates of a location refer to.
func usedContainers(location certstore.Location) ([]keys.Container, error) {
	names, err := storeNames(location)
	if err != nil {
		return nil, err
	}
	var used []keys.Container
	for _, name := range names {
		err := eachIn(certstore.Ref{Location: location, Name: name}, func(context *windows.CertContext) error {
			where, err := keyContainer(context)
			if err == nil && where != nil && where.Ours() {
				used = append(used, *where)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return used, nil
}
