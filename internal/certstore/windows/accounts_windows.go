package windows

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
)

// resolveAccount returns the security identifier (SID) of an account as text. It returns a SID unchanged, whether an account has it
// or not. A name is of this machine, its domain, or a built-in authority, such as NT AUTHORITY\NETWORK SERVICE, NT SERVICE\w3svc,
// IIS AppPool\shop, DOMAIN\web$ or Administrators, in the system's language
// (https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lookupaccountnamew).
//
// An account that does not exist is a *certstore.UnknownAccount. After any other error, such as an unreachable domain, it is
// unknown whether the account exists.
func resolveAccount(name string) (sid string, err error) {
	// ConvertStringSidToSid also accepts the two-letter aliases of SDDL (SY, BA) and the empty text, which are not SIDs here.
	if strings.HasPrefix(strings.ToUpper(name), "S-1-") {
		parsed, err := windows.StringToSid(name)
		if err != nil {
			return "", &certstore.UnknownAccount{Account: name, Err: fmt.Errorf("it is not a security identifier: %w", winerror.Named(err))}
		}
		return parsed.String(), nil
	}
	if name == "" {
		return "", &certstore.UnknownAccount{Account: name, Err: errors.New("the name is empty")}
	}
	found, _, kind, err := windows.LookupSID("", name)
	switch {
	case winerror.Is(err, windows.ERROR_NONE_MAPPED):
		return "", &certstore.UnknownAccount{Account: name, Err: fmt.Errorf("neither this machine nor its domain has such an account: %w", winerror.Named(err))}
	case err != nil:
		return "", fmt.Errorf("looking up the account: %w", winerror.Named(err))
	}
	switch kind {
	case windows.SidTypeUser, windows.SidTypeGroup, windows.SidTypeAlias, windows.SidTypeWellKnownGroup, windows.SidTypeComputer:
		return found.String(), nil
	default: // a domain, or a deleted account, which no process runs as
		return "", &certstore.UnknownAccount{Account: name, Err: errors.New("it is a domain or a deleted account")}
	}
}
