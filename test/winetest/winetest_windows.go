package winetest

import (
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"
)

// OnWine reports whether the process runs under Wine, by an export that only Wine's ntdll has
// (https://gitlab.winehq.org/wine/wine/-/wikis/Developer-FAQ).
func OnWine() bool { return wineGetVersion().Find() == nil }

// Wine is the major version of the Wine that the process runs under, 0 on Windows.
func Wine() int {
	if !OnWine() {
		return 0
	}
	text, _, _ := wineGetVersion().Call() // it cannot fail
	major, _, _ := strings.Cut(windows.BytePtrToString(*(**byte)(unsafe.Pointer(&text))), ".")
	version, err := strconv.Atoi(major)
	if err != nil {
		panic(err)
	}
	return version
}

func wineGetVersion() *windows.LazyProc {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version")
}
