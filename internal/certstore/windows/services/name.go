package services

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestName is the length of the longest name of a key, in characters; a service's may have one more
// (https://learn.microsoft.com/windows/win32/sysinfo/registry-element-size-limits).
const longestName = 255

// checkName refuses what cannot be the name of a service and of the key with its record
// (https://learn.microsoft.com/windows/win32/api/winsvc/nf-winsvc-createservicew).
func checkName(name string) error {
	switch {
	case name == "", utf8.RuneCountInString(name) > longestName, !utf8.ValidString(name),
		strings.ContainsAny(name, `/\`), strings.ContainsFunc(name, unicode.IsControl), strings.TrimSpace(name) != name:
		return fmt.Errorf("%q is not the name of a service", name)
	}
	return nil
}

// checkOwner refuses what cannot be the name of a value in a record.
func checkOwner(owner string) error {
	if owner == "" || strings.ContainsRune(owner, 0) {
		return fmt.Errorf("%q is not the name of an ObservedCertificate", owner)
	}
	return nil
}

// account is an account of services, by a name that accounts are looked up by, and its security identifier.
type account struct{ name, sid string }

// builtIn are the accounts whose names in the configuration of a service are the same in every language
// (https://learn.microsoft.com/windows/win32/services/service-user-accounts), and their security identifiers
// (https://learn.microsoft.com/windows/win32/secauthz/well-known-sids).
var builtIn = map[string]account{
	"localsystem":                 {`NT AUTHORITY\SYSTEM`, "S-1-5-18"},
	`nt authority\localservice`:   {`NT AUTHORITY\LOCAL SERVICE`, "S-1-5-19"},
	`nt authority\networkservice`: {`NT AUTHORITY\NETWORK SERVICE`, "S-1-5-20"},
}

// accountOf returns the account with a name from the configuration of a service, without the identifier if it must be looked up.
// computer is the machine's name, for which the configuration has a dot.
func accountOf(name, computer string) account {
	if found, ok := builtIn[strings.ToLower(name)]; ok {
		return found
	}
	if user, ok := strings.CutPrefix(name, `.\`); ok {
		return account{name: computer + `\` + user}
	}
	return account{name: name}
}
