package windows

import (
	"crypto"
	"strings"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
)

// container is the place of one private key.
type container struct {
	name         string
	provider     string
	providerType uint32 // 0 for CNG
	machine      bool   // whether it is the machine's and not the user's
	keySpec      uint32
}

// providerCAPI is the key storage provider of older .NET code, as marks name it. Anything else is CNG.
const providerCAPI = "CAPI"

// ourPrefix begins the names of Vaultpane's containers.
const ourPrefix = "vaultpane-"

// containerFor names the container of a certificate's key, so that it is the same at each attempt.
func containerFor(location certstore.Location, thumbprint string, exportable, capi bool) container {
	name := ourPrefix + thumbprint
	if exportable {
		name += "-x"
	}
	where := container{name: name, provider: wincrypt.MS_KEY_STORAGE_PROVIDER, machine: location == certstore.LocalMachine}
	if capi {
		where.provider, where.providerType, where.keySpec = wincrypt.MS_ENH_RSA_AES_PROV, windows.PROV_RSA_AES, windows.AT_KEYEXCHANGE
	}
	return where
}

// containersOf returns every container that Vaultpane may have made for a certificate.
func containersOf(location certstore.Location, thumbprint string) []container {
	var all []container
	for _, exportable := range []bool{false, true} {
		for _, capi := range []bool{false, true} {
			all = append(all, containerFor(location, thumbprint, exportable, capi))
		}
	}
	return all
}

func (c container) ours() bool { return strings.HasPrefix(c.name, ourPrefix) }

// inSoftware tells whether a key is in one of Windows' own providers that keep keys in files.
func (c container) inSoftware() bool {
	if c.providerType == 0 {
		return c.provider == wincrypt.MS_KEY_STORAGE_PROVIDER
	}
	return bundle.CAPIProvider(c.provider)
}

// same tells whether two are one place. Names of containers differ in more than case.
func (c container) same(other container) bool {
	return strings.EqualFold(c.name, other.name) && c.machine == other.machine && (c.providerType == 0) == (other.providerType == 0)
}

func (c container) opens() bool {
	if c.providerType == 0 {
		return c.cngOpens()
	}
	return c.capiOpens()
}

func (c container) put(key crypto.Signer, exportable bool) error {
	if c.providerType == 0 {
		return c.cngImport(key, exportable)
	}
	return c.capiImport(key, exportable)
}

// delete deletes the container; one that is not there is no error.
func (c container) delete() error {
	if c.providerType == 0 {
		return c.cngDelete()
	}
	return c.capiDelete()
}

// deleteUnused deletes those containers that no certificate in any store of the location refers to.
func deleteUnused(location certstore.Location, candidates []container) error {
	used, err := usedContainers(location)
	if err != nil {
		return err
	}
	for _, candidate := range candidates {
		inUse := false
		for _, one := range used {
			inUse = inUse || one.same(candidate)
		}
		if inUse {
			continue
		}
		if err := candidate.delete(); err != nil {
			return err
		}
	}
	return nil
}

// usedContainers returns Vaultpane's containers that certificates of a location refer to.
func usedContainers(location certstore.Location) ([]container, error) {
	names, err := storeNames(location)
	if err != nil {
		return nil, err
	}
	var used []container
	for _, name := range names {
		err := eachIn(certstore.Ref{Location: location, Name: name}, func(context *windows.CertContext) error {
			where, err := keyContainer(context)
			if err == nil && where != nil && where.ours() {
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
