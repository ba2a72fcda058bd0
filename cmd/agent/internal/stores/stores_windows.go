package stores

import (
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows"
)

func init() {
	backends["windows"] = backend{
		open:    func(string) (certstore.Store, error) { return windows.New(), nil },
		machine: windows.Machine{},
	}
}
