//go:build !windows

package main

import "errors"

var errWindowsOnly = errors.New("programs of Windows exist on Windows only")

func install([]string) (int, error) { return 0, errWindowsOnly }

func serve([]string) (int, error) { return 0, errWindowsOnly }

func programs([]string) (int, error) { return 0, errWindowsOnly }
