package winetest

import "golang.org/x/sys/windows"

// WithStandIn reports whether ncrypt.dll is the stand-in of hack/wine: keys in CNG exist, and its errors are those of the
// documentation, not of Windows.
func WithStandIn() bool {
	return windows.NewLazySystemDLL("ncrypt.dll").NewProc("VaultpaneStandIn").Find() == nil
}

// WithoutCNG reports whether the system has no keys in CNG: Wine without the stand-in.
func WithoutCNG() bool { return OnWine() && !WithStandIn() }
