package process

import (
	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
	"github.com/vaultpane/vaultpane/controllers/internal/certstore/windows"
)

// Where the store is, for flags.
const (
	// DefaultStorePath is where the directory store is by default.
	DefaultStorePath = ""
	// StorePathUsage describes the setting.
	StorePathUsage = "unused on Windows, where the machine's own certificate store is used"
)

func openStore(string) (certstore.Store, error) { return windows.New(), nil }

func machine() certstore.Machine { return windows.Machine{} }
