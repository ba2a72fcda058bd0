//go:build !windows

package winetest

// OnWine reports false: only Windows programs run under Wine.
func OnWine() bool { return false }
