package main

import (
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows"
)

func openStore(string) (certstore.Store, error) { return windows.New(), nil }
