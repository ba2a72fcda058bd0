//go:build !windows

package process

import (
	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
	"github.com/vaultpane/vaultpane/controllers/internal/certstore/directory"
)

// Where the store is, for flags.
const (
	// DefaultStorePath is where the directory store is by default.
	DefaultStorePath = "/var/lib/vaultpane/store"
	// StorePathUsage describes the setting.
	StorePathUsage = "folder of the certificate store, which is made of files on this system"
)

func openStore(path string) (certstore.Store, error) { return directory.New(path) }

func machine() certstore.Machine { return directory.Machine{} }
