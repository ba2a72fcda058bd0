package windows

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
)

// statusNames are the errors that certificate stores and keys really give, for people who search for them.
var statusNames = map[windows.Errno]string{
	windows.ERROR_FILE_NOT_FOUND:                   "ERROR_FILE_NOT_FOUND",
	windows.ERROR_ACCESS_DENIED:                    "ERROR_ACCESS_DENIED",
	windows.ERROR_PROC_NOT_FOUND:                   "ERROR_PROC_NOT_FOUND",
	windows.Errno(windows.NTE_BAD_KEYSET):          "NTE_BAD_KEYSET",
	windows.Errno(windows.NTE_EXISTS):              "NTE_EXISTS",
	windows.Errno(windows.NTE_KEYSET_NOT_DEF):      "NTE_KEYSET_NOT_DEF",
	windows.Errno(windows.NTE_KEYSET_ENTRY_BAD):    "NTE_KEYSET_ENTRY_BAD",
	windows.Errno(windows.NTE_NO_KEY):              "NTE_NO_KEY",
	windows.Errno(windows.NTE_NOT_SUPPORTED):       "NTE_NOT_SUPPORTED",
	windows.Errno(windows.NTE_PERM):                "NTE_PERM",
	windows.Errno(windows.NTE_FAIL):                "NTE_FAIL",
	windows.Errno(windows.NTE_BAD_DATA):            "NTE_BAD_DATA",
	windows.Errno(windows.NTE_BAD_TYPE):            "NTE_BAD_TYPE",
	windows.Errno(windows.NTE_INVALID_PARAMETER):   "NTE_INVALID_PARAMETER",
	windows.Errno(windows.NTE_TEMPORARY_PROFILE):   "NTE_TEMPORARY_PROFILE",
	windows.Errno(windows.CRYPT_E_NOT_FOUND):       "CRYPT_E_NOT_FOUND",
	windows.Errno(windows.CRYPT_E_EXISTS):          "CRYPT_E_EXISTS",
	windows.Errno(windows.CRYPT_E_NO_KEY_PROPERTY): "CRYPT_E_NO_KEY_PROPERTY",
}

// errUnsupported is wrapped by what this machine, or this kind of provider, can never do.
var errUnsupported = errors.New("not supported")

// failure puts an error into the interface's words. The windows.Errno stays in the chain.
func failure(operation string, ref certstore.Ref, err error) error {
	if err == nil {
		return nil
	}
	return &certstore.Error{
		Operation: operation, Ref: ref, Err: named(err),
		Denied:      is(err, windows.ERROR_ACCESS_DENIED, windows.Errno(windows.NTE_PERM)),
		Unsupported: errors.Is(err, errUnsupported),
	}
}

// named puts code and name before the text of a Windows error.
func named(err error) error {
	var code windows.Errno
	if !errors.As(err, &code) {
		return err
	}
	return fmt.Errorf("0x%08X %s: %w", uint32(code), statusNames[code], err)
}

// is tells whether an error is one of some codes.
func is(err error, codes ...windows.Errno) bool {
	for _, code := range codes {
		if errors.Is(err, code) {
			return true
		}
	}
	return false
}
