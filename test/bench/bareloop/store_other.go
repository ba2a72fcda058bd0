//go:build !windows

package main

import (
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
)

func openStore(path string) (certstore.Store, error) { return directory.New(path) }
