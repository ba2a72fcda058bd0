package windows

import (
	"errors"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
)

// failure returns an error as a *certstore.Error, nil for nil. The windows.Errno stays in the chain.
func failure(operation string, ref certstore.Ref, err error) error {
	if err == nil {
		return nil
	}
	return &certstore.Error{
		Operation: operation, Ref: ref, Err: winerror.Named(err),
		Denied:      winerror.Is(err, windows.ERROR_ACCESS_DENIED, windows.Errno(windows.NTE_PERM)),
		Unsupported: errors.Is(err, winerror.ErrUnsupported),
	}
}
