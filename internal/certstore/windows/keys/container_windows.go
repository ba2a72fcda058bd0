package keys

import (
	"crypto"
	"strings"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
)

// Container is the container of one private key.
type Container struct {
	// Name is its name, and Provider the name of its provider.
	Name, Provider string
	// ProviderType is the provider's type in CAPI, 0 for CNG.
	ProviderType uint32
	// Machine is true for a key of the machine, false for one of the user.
	Machine bool
	// KeySpec is the kind of key in CAPI, such as AT_KEYEXCHANGE; 0 for CNG.
	KeySpec uint32
}

// ProviderCAPI is the value of certstore.Mark.Provider for CAPI, which older .NET code needs. Any other value is CNG.
const ProviderCAPI = "CAPI"

// prefix begins the names of Vaultpane's containers.
const prefix = "vaultpane-"

// For returns the container of a certificate's key, which is the same at each attempt.
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

// AllFor returns every container that Vaultpane may have created for a certificate.
func AllFor(location certstore.Location, thumbprint string) []Container {
	var all []Container
	for _, exportable := range []bool{false, true} {
		for _, capi := range []bool{false, true} {
			all = append(all, For(location, thumbprint, exportable, capi))
		}
	}
	return all
}

// Ours reports whether Vaultpane created the container, by its name.
func (c Container) Ours() bool { return strings.HasPrefix(c.Name, prefix) }

// InSoftware reports whether the provider is one of Windows' own, which store keys in files.
func (c Container) InSoftware() bool {
	if c.ProviderType == 0 {
		return c.Provider == wincrypt.MS_KEY_STORAGE_PROVIDER
	}
	return bundle.CAPIProvider(c.Provider)
}

// Same reports whether two are the same container. Names are not case-sensitive.
func (c Container) Same(other Container) bool {
	return strings.EqualFold(c.Name, other.Name) && c.Machine == other.Machine && (c.ProviderType == 0) == (other.ProviderType == 0)
}

// Opens reports whether the container exists and its key can be opened.
func (c Container) Opens() bool {
	if c.ProviderType == 0 {
		return c.cngOpens()
	}
	return c.capiOpens()
}

// Import imports a key, and creates the container if it does not exist. Errors that wrap winerror.ErrUnsupported are permanent.
func (c Container) Import(key crypto.Signer, exportable bool) error {
	if c.ProviderType == 0 {
		return c.cngImport(key, exportable)
	}
	return c.capiImport(key, exportable)
}

// Delete deletes the container. A container that does not exist is not an error.
func (c Container) Delete() error {
	if c.ProviderType == 0 {
		return c.cngDelete()
	}
	return c.capiDelete()
}
