package main

import (
	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
	"github.com/vaultpane/vaultpane/controllers/internal/certstore/windows"
)

func openStore(string) (certstore.Store, error) { return windows.New(), nil }
