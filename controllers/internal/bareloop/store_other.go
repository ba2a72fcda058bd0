//go:build !windows

package main

import (
	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
	"github.com/vaultpane/vaultpane/controllers/internal/certstore/directory"
)

func openStore(path string) (certstore.Store, error) { return directory.New(path) }
