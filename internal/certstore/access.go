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

// Rights on a private key. SDDL writes them as rights on a file, because Windows stores keys in files
// (https://learn.microsoft.com/windows/win32/secauthz/ace-strings).
const (
	rightFull = "FA"
	rightRead = "FR"
)

// KeyAccess returns the access list of a private key, as text: SYSTEM and Administrators have full access, the readers, given by
// SID, have read access, and no entry is inherited. In CurrentUser the key's owner has full access too. Equal sets of readers
// give equal texts, whatever their order.
//
// The text is the discretionary access list of a security descriptor in SDDL
// (https://learn.microsoft.com/windows/win32/secauthz/security-descriptor-string-format), restricted to "D:P" followed by entries
// of the form AccessEntry. Stores that cannot set access lists keep it as an opaque text, see Store.
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

// AccessEntry returns the entry of an access list that grants a right to the account with a SID.
func AccessEntry(right, sid string) string { return "(A;;" + right + ";;;" + sid + ")" }

// accessEntry matches the entries of an access list in the form of KeyAccess.
var accessEntry = regexp.MustCompile(`\(A;;([^;]*);;;([^)]*)\)`)

// AtLeastAsWide reports whether the access list a grants at least the rights that b grants. Both have the form of KeyAccess. An
// empty list is unknown: only another unknown list counts as at least as wide.
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

// Grants reports whether an access list in the form of KeyAccess lets an account, given by SID, read the key. An empty list is
// unknown, and grants nothing but to those who have full access to every key.
func Grants(access, sid string) bool {
	if sid == sidSystem || sid == sidAdministrators {
		return true
	}
	return slices.ContainsFunc(accessEntry.FindAllStringSubmatch(access, -1), func(entry []string) bool {
		return entry[2] == sid && (entry[1] == rightRead || entry[1] == rightFull)
	})
}

// wideReaders are groups that contain every user of the machine or of the network
// (https://learn.microsoft.com/windows/win32/secauthz/well-known-sids).
var wideReaders = map[string]string{
	"S-1-1-0": "Everyone", "S-1-5-7": "ANONYMOUS LOGON", "S-1-5-11": "Authenticated Users", "S-1-5-32-545": "Users", "S-1-5-32-546": "Guests",
}

// accessForm matches an access list whose entries each grant one right to one account, none of them inherited.
var accessForm = regexp.MustCompile(`^D:P(\(A;;[^;()]*;;;[^;()]*\))*$`)

// accessFailure describes how the access list of a key differs from what KeyAccess grants, empty if it does not. In CurrentUser
// Windows grants the key's owner full access itself.
func accessFailure(location Location, list string) string {
	if list == "" && location == CurrentUser {
		return "" // left to the store
	}
	if list == "" {
		return "the access list of its private key cannot be read"
	}
	if !accessForm.MatchString(list) {
		return "the access list of its private key has entries that Vaultpane does not write (inherited or denied): " + list
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
			return sid + " has more than read access to its private key (" + right + ")"
		}
	}
	if location == LocalMachine && (granted[sidSystem] != rightFull || granted[sidAdministrators] != rightFull) {
		return "SYSTEM and Administrators do not both have full access to its private key: " + list
	}
	return ""
}
