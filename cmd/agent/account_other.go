//go:build !windows

package main

import "github.com/go-logr/logr"

// tellAccount does nothing: here the store is a folder, whose errors say what this account cannot do.
func tellAccount(logr.Logger) {}

// programData is of Windows only.
func programData() string { return "" }
