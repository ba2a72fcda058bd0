package certstore

import (
	"regexp"
	"slices"
	"strings"
)

// Security identifiers that Windows itself names
// (https://learn.microsoft.com/windows/win32/secauthz/well-known-sids).
const (
	sidSystem         = "S-1-5-18"
	sidAdministrators = "S-1-5-32-544"
	sidOwner          = "S-1-3-4" // owner rights
)

// Rights on a private key, as SDDL writes those of a file, which is what Windows keeps keys in
// (https://learn.microsoft.com/windows/win32/secauthz/ace-strings).
const (
	rightFull = "FA"
	rightRead = "FR"
)

// KeyAccess returns who may use a private key, as the access list of a security descriptor in SDDL: SYSTEM and
// Administrators in full, the readers, given by SID, for reading, and nobody else; nothing is inherited. In CurrentUser the
// key's owner has it in full as well. The same wish gives the same text, whatever the order of the readers
// (https://learn.microsoft.com/windows/win32/secauthz/security-descriptor-string-format).
func KeyAccess(location Location, readers []string) string {
	full := []string{sidSystem, sidAdministrators}
	if location == CurrentUser {
		full = append(full, sidOwner)
	}
	var list strings.Builder
	list.WriteString("D:P")
	for _, sid := range full {
		list.WriteString(AccessEntry(rightFull, sid))
	}
	for _, sid := range slices.Compact(slices.Sorted(slices.Values(readers))) {
		if !slices.Contains(full, sid) {
			list.WriteString(AccessEntry(rightRead, sid))
		}
	}
	return list.String()
}

// AccessEntry returns one entry of an access list that allows a right to the account with a SID.
func AccessEntry(right, sid string) string { return "(A;;" + right + ";;;" + sid + ")" }

// accessEntry finds the entries of an access list that this package has written, or a store in its form.
var accessEntry = regexp.MustCompile(`\(A;;([^;]*);;;([^)]*)\)`)

// AtLeastAsWide tells whether whoever may use a key with the access list b may do the same with one with a. Both have the
// form of KeyAccess; an empty list is one that is not known, and nothing is wider than that but another such.
func AtLeastAsWide(a, b string) bool {
	if a == b {
		return true
	}
	granted := map[string]string{}
	for _, entry := range accessEntry.FindAllStringSubmatch(a, -1) {
		granted[entry[2]] = entry[1]
	}
	needed := accessEntry.FindAllStringSubmatch(b, -1)
	for _, entry := range needed {
		right := granted[entry[2]]
		if right != entry[1] && right != rightFull {
			return false
		}
	}
	return len(needed) > 0
}

// wideReaders are groups that whoever is on the machine, or can reach it, belongs to
// (https://learn.microsoft.com/windows/win32/secauthz/well-known-sids).
var wideReaders = map[string]string{
	"S-1-1-0": "Everyone", "S-1-5-7": "ANONYMOUS LOGON", "S-1-5-11": "Authenticated Users", "S-1-5-32-545": "Users", "S-1-5-32-546": "Guests",
}

// accessForm is an access list whose entries each allow one account one right, none of them inherited.
var accessForm = regexp.MustCompile(`^D:P(\(A;;[^;()]*;;;[^;()]*\))*$`)

// accessFault says in which way who may use a key of Vaultpane's is other than KeyAccess gives it, empty for not at all.
// In CurrentUser Windows gives the key's owner full access by itself.
func accessFault(location Location, list string) string {
	if list == "" && location == CurrentUser {
		return "" // left to the store
	}
	if list == "" {
		return "who may use its private key cannot be read"
	}
	if !accessForm.MatchString(list) {
		return "the rights on its private key are not those that Vaultpane writes (something is inherited or denied): " + list
	}
	granted := map[string]string{}
	for _, entry := range accessEntry.FindAllStringSubmatch(list, -1) {
		right, sid := entry[1], entry[2]
		granted[sid] = right
		full := sid == sidSystem || sid == sidAdministrators || location == CurrentUser
		switch name := wideReaders[sid]; {
		case name != "":
			return name + " can use its private key"
		case right != rightRead && (right != rightFull || !full):
			return sid + " has more than reading on its private key (" + right + ")"
		}
	}
	if location == LocalMachine && (granted[sidSystem] != rightFull || granted[sidAdministrators] != rightFull) {
		return "SYSTEM and Administrators do not both have its private key in full: " + list
	}
	return ""
}
