package windows

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/windows"
)

// errAccountNotFound is wrapped where this machine, and its domain, know no account of a name. It may come to be later, as a
// service's does when the service is installed.
var errAccountNotFound = errors.New("there is no such account")

// resolveAccount returns the security identifier (SID) of an account as text. A SID is returned as it is, whether there is
// an account of it or not. A name is of this machine, its domain, or one of the built-in authorities, such as
// NT AUTHORITY\NETWORK SERVICE, NT SERVICE\w3svc, IIS AppPool\shop, DOMAIN\web$ or Administrators, in the system's language
// (https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lookupaccountnamew).
//
// Errors: errAccountNotFound. Anything else, such as a domain that does not answer, says nothing about the account.
func resolveAccount(name string) (sid string, err error) {
	// ConvertStringSidToSid also takes the two letters of SDDL (SY, BA) and the empty text, which are no SIDs here.
	if strings.HasPrefix(strings.ToUpper(name), "S-1-") {
		parsed, err := windows.StringToSid(name)
		if err != nil {
			return "", fmt.Errorf("%w: %q is no security identifier: %w", errAccountNotFound, name, err)
		}
		return parsed.String(), nil
	}
	if name == "" {
		return "", fmt.Errorf("%w: the name is empty", errAccountNotFound)
	}
	found, _, kind, err := windows.LookupSID("", name)
	switch {
	case is(err, windows.ERROR_NONE_MAPPED):
		return "", fmt.Errorf("%w: %q: %w", errAccountNotFound, name, err)
	case err != nil:
		return "", fmt.Errorf("looking for the account %q: %w", name, err)
	}
	switch kind {
	case windows.SidTypeUser, windows.SidTypeGroup, windows.SidTypeAlias, windows.SidTypeWellKnownGroup, windows.SidTypeComputer:
		return found.String(), nil
	default: // a domain, or an account that was deleted: nobody runs as that
		return "", fmt.Errorf("%w: %q is something else", errAccountNotFound, name)
	}
}
