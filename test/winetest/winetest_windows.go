package winetest

import "golang.org/x/sys/windows"

// OnWine reports whether the process runs under Wine, by an export that only Wine's ntdll has
// (https://gitlab.winehq.org/wine/wine/-/wikis/Developer-FAQ).
func OnWine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}
