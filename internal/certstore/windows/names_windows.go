package windows

import (
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
)

// enumeration collects the names from Windows' callbacks. Go never frees callbacks, so there is only one.
var enumeration struct {
	mu       sync.Mutex
	names    []string
	callback func() uintptr
}

func init() { //nolint:gochecknoinits // the callback and the variable refer to each other
	enumeration.callback = sync.OnceValue(func() uintptr { return windows.NewCallback(collectName) })
}

// collectName is a CertEnumSystemStoreCallback
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nc-wincrypt-pfn_cert_enum_system_store).
func collectName(name *uint16, _ uint32, _, _, _ uintptr) uintptr {
	enumeration.names = append(enumeration.names, windows.UTF16PtrToString(name))
	return 1 // continue
}

// storeNames returns the names of a location's stores, without duplicates
// (https://learn.microsoft.com/windows/win32/api/wincrypt/nf-wincrypt-certenumsystemstore).
func storeNames(location certstore.Location) ([]string, error) {
	enumeration.mu.Lock()
	defer enumeration.mu.Unlock()
	enumeration.names = nil
	err := wincrypt.CertEnumSystemStore(locationFlags[location], nil, 0, enumeration.callback())
	if winerror.Is(err, windows.ERROR_FILE_NOT_FOUND) { // a user without stores
		err = nil
	}
	// Wine returns Root twice if it is in the registry too.
	slices.SortFunc(enumeration.names, func(a, b string) int { return strings.Compare(strings.ToLower(a), strings.ToLower(b)) })
	return slices.CompactFunc(enumeration.names, strings.EqualFold), err
}
