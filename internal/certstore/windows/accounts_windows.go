package windows

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
)

// resolveAccount returns the security identifier (SID) of an account as text. A SID is returned as it is, whether there is
// an account of it or not. A name is of this machine, its domain, or one of the built-in authorities, such as
// NT AUTHORITY\NETWORK SERVICE, NT SERVICE\w3svc, IIS AppPool\shop, DOMAIN\web$ or Administrators, in the system's language
// (https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lookupaccountnamew).
//
// An account that is not there is a *certstore.UnknownAccount. Anything else, such as a domain that does not answer, says nothing about the account.
func resolveAccount(name string) (sid string, err error) {
	// ConvertStringSidToSid also takes the two letters of SDDL (SY, BA) and the empty text, which are no SIDs here.
	if strings.HasPrefix(strings.ToUpper(name), "S-1-") {
		parsed, err := windows.StringToSid(name)
		if err != nil {
			return "", &certstore.UnknownAccount{Account: name, Err: fmt.Errorf("it is no security identifier: %w", winerror.Named(err))}
		}
		return parsed.String(), nil
	}
	if name == "" {
		return "", &certstore.UnknownAccount{Account: name, Err: errors.New("the name is empty")}
	}
	found, _, kind, err := windows.LookupSID("", name)
	switch {
	case winerror.Is(err, windows.ERROR_NONE_MAPPED):
		return "", &certstore.UnknownAccount{Account: name, Err: fmt.Errorf("this machine and its domain know no such account: %w", winerror.Named(err))}
	case err != nil:
		return "", fmt.Errorf("looking for it: %w", winerror.Named(err))
	}
	switch kind {
	case windows.SidTypeUser, windows.SidTypeGroup, windows.SidTypeAlias, windows.SidTypeWellKnownGroup, windows.SidTypeComputer:
		return found.String(), nil
	default: // a domain, or an account that was deleted: nobody runs as that
		return "", &certstore.UnknownAccount{Account: name, Err: errors.New("it is a domain or an account that was deleted")}
	}
}
