package keys

import (
	"crypto"
	"strings"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
)

// Container is the place of one private key.
type Container struct {
	// Name is its name in the provider, Provider that of the provider.
	Name, Provider string
	// ProviderType is the provider's type in CAPI, 0 for CNG.
	ProviderType uint32
	// Machine is true for a key of the machine, false for one of the user.
	Machine bool
	// KeySpec is the kind of key in CAPI, such as AT_KEYEXCHANGE; 0 for CNG.
	KeySpec uint32
}

// ProviderCAPI is the key storage provider of older .NET code, as marks name it. Anything else is CNG.
const ProviderCAPI = "CAPI"

// prefix begins the names of Vaultpane's containers.
const prefix = "vaultpane-"

// For names the container of a certificate's key, so that it is the same at each attempt.
func For(location certstore.Location, thumbprint string, exportable, capi bool) Container {
	name := prefix + thumbprint
	if exportable {
		name += "-x"
	}
	where := Container{Name: name, Provider: wincrypt.MS_KEY_STORAGE_PROVIDER, Machine: location == certstore.LocalMachine}
	if capi {
		where.Provider, where.ProviderType, where.KeySpec = wincrypt.MS_ENH_RSA_AES_PROV, windows.PROV_RSA_AES, windows.AT_KEYEXCHANGE
	}
	return where
}

// AllFor returns every container that Vaultpane may have made for a certificate.
func AllFor(location certstore.Location, thumbprint string) []Container {
	var all []Container
	for _, exportable := range []bool{false, true} {
		for _, capi := range []bool{false, true} {
			all = append(all, For(location, thumbprint, exportable, capi))
		}
	}
	return all
}

func (c Container) Ours() bool { return strings.HasPrefix(c.Name, prefix) }

// InSoftware tells whether a key is in one of Windows' own providers that keep keys in files.
func (c Container) InSoftware() bool {
	if c.ProviderType == 0 {
		return c.Provider == wincrypt.MS_KEY_STORAGE_PROVIDER
	}
	return bundle.CAPIProvider(c.Provider)
}

// Same tells whether two are one place. Names of containers differ in more than case.
func (c Container) Same(other Container) bool {
	return strings.EqualFold(c.Name, other.Name) && c.Machine == other.Machine && (c.ProviderType == 0) == (other.ProviderType == 0)
}

func (c Container) Opens() bool {
	if c.ProviderType == 0 {
		return c.cngOpens()
	}
	return c.capiOpens()
}

func (c Container) Import(key crypto.Signer, exportable bool) error {
	if c.ProviderType == 0 {
		return c.cngImport(key, exportable)
	}
	return c.capiImport(key, exportable)
}

// Delete deletes the container; one that is not there is no error.
func (c Container) Delete() error {
	if c.ProviderType == 0 {
		return c.cngDelete()
	}
	return c.capiDelete()
}
