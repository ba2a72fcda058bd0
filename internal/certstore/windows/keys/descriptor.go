package keys

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// Rights on a key, which Windows stores as a file
// (https://learn.microsoft.com/windows/win32/fileio/file-security-and-access-rights,
// https://learn.microsoft.com/windows/win32/secauthz/generic-access-rights).
const (
	fileAllAccess   = 0x1f01ff
	fileGenericRead = 0x120089
	genericAll      = 1 << 28
	genericRead     = 1 << 31
	genericMask     = 0xf0000000
)

var errDescriptor = errors.New("the security descriptor is damaged")

// AccessOf returns the access list of a self-relative security descriptor in the form of certstore.KeyAccess, so that the list
// can be compared with the desired one. Accounts are always SIDs, never names or aliases. Rights are normalized, because
// Windows adds the generic right to the mask of keys in CNG (0x80120089). Entries that are inherited or do not grant access
// have another form than any entry that Vaultpane writes
// (https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-security_descriptor,
// https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-acl).
func AccessOf(descriptor []byte) (string, error) {
	if len(descriptor) < 20 {
		return "", errDescriptor
	}
	offset := int(binary.LittleEndian.Uint32(descriptor[16:]))
	if offset == 0 {
		return "D:NO_ACCESS_CONTROL", nil // every user has full access
	}
	if offset > len(descriptor)-8 {
		return "", errDescriptor
	}
	list := descriptor[offset:]
	count, rest := int(binary.LittleEndian.Uint16(list[4:])), list[8:]
	var text strings.Builder
	text.WriteString("D:P")
	for range count {
		if len(rest) < 8 {
			return "", errDescriptor
		}
		size := int(binary.LittleEndian.Uint16(rest[2:]))
		if size < 8 || size > len(rest) {
			return "", errDescriptor
		}
		entry, err := entryText(rest[:size])
		if err != nil {
			return "", err
		}
		text.WriteString(entry)
		rest = rest[size:]
	}
	return text.String(), nil
}

// entryText formats one entry, an ACCESS_ALLOWED_ACE or another type with the same beginning
// (https://learn.microsoft.com/windows/win32/api/winnt/ns-winnt-access_allowed_ace).
func entryText(entry []byte) (string, error) {
	kind, flags, mask := entry[0], entry[1], binary.LittleEndian.Uint32(entry[4:])
	sid, err := sidText(entry[8:])
	if err != nil {
		return "", err
	}
	if kind == 0 && flags == 0 {
		return certstore.AccessEntry(rightText(mask), sid), nil
	}
	return fmt.Sprintf("(%d;%d;%s;;;%s)", kind, flags, rightText(mask), sid), nil
}

func rightText(mask uint32) string {
	switch {
	case mask&fileAllAccess == fileAllAccess, mask&genericAll != 0:
		return "FA"
	case mask&^genericMask == fileGenericRead, mask == genericRead:
		return "FR"
	}
	return fmt.Sprintf("0x%x", mask)
}

// sidText formats a security identifier (https://learn.microsoft.com/windows/win32/secauthz/sid-components).
func sidText(sid []byte) (string, error) {
	if len(sid) < 8 || len(sid) < 8+4*int(sid[1]) {
		return "", errDescriptor
	}
	var text strings.Builder
	fmt.Fprintf(&text, "S-%d-%d", sid[0], uint64(binary.BigEndian.Uint16(sid[2:]))<<32|uint64(binary.BigEndian.Uint32(sid[4:])))
	for i := range int(sid[1]) {
		fmt.Fprintf(&text, "-%d", binary.LittleEndian.Uint32(sid[8+4*i:]))
	}
	return text.String(), nil
}
