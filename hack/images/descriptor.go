package main

import (
	"encoding/binary"
	"slices"
)

// Who has access, as SIDs: revision, number of parts, authority NT, parts
// (https://learn.microsoft.com/windows/win32/secauthz/well-known-sids).
var (
	system         = sid(18)      // SY, NT AUTHORITY\SYSTEM
	administrators = sid(32, 544) // BA, BUILTIN\Administrators
	users          = sid(32, 545) // BU, BUILTIN\Users
)

// Rights (https://learn.microsoft.com/windows/win32/fileio/file-security-and-access-rights and
// https://learn.microsoft.com/windows/win32/sysinfo/registry-key-security-and-access-rights).
const (
	fileAll     = 0x1f01ff // FILE_ALL_ACCESS
	fileExecute = 0x1200a9 // FILE_GENERIC_READ | FILE_GENERIC_EXECUTE
	keyAll      = 0xf003f  // KEY_ALL_ACCESS
	keyRead     = 0x20019  // KEY_READ
)

// inherited hands an access on to what is in a folder or under a key: OBJECT_INHERIT_ACE | CONTAINER_INHERIT_ACE.
const inherited byte = 0x3

// fileDescriptor lets SYSTEM and administrators do all, and users read and execute.
func fileDescriptor(flags byte) []byte {
	return descriptor(ace(flags, fileAll, system), ace(flags, fileAll, administrators), ace(flags, fileExecute, users))
}

func keyDescriptor() []byte {
	return descriptor(ace(inherited, keyAll, system), ace(inherited, keyAll, administrators), ace(inherited, keyRead, users))
}

// descriptor is a security descriptor in one piece, owned by the administrators, with a protected access list
// (https://learn.microsoft.com/openspecs/windows_protocols/ms-dtyp/7d4dac05-9cef-4563-a058-f108abecce1d).
func descriptor(aces ...[]byte) []byte {
	const (
		header  = 20
		control = 0x8000 | 0x1000 | 0x4 // SE_SELF_RELATIVE, SE_DACL_PROTECTED, SE_DACL_PRESENT
	)
	le := binary.LittleEndian
	list := slices.Concat(aces...)
	acl := []byte{2, 0} // ACL_REVISION
	acl = le.AppendUint16(acl, uint16(8+len(list)))
	acl = le.AppendUint16(acl, uint16(len(aces)))
	acl = append(le.AppendUint16(acl, 0), list...)

	out := []byte{1, 0} // SECURITY_DESCRIPTOR_REVISION
	out = le.AppendUint16(out, control)
	out = le.AppendUint32(out, header)                               // owner
	out = le.AppendUint32(out, header+uint32(len(administrators)))   // group
	out = le.AppendUint32(out, 0)                                    // no audit list
	out = le.AppendUint32(out, header+2*uint32(len(administrators))) // access list
	return slices.Concat(out, administrators, administrators, acl)
}

// ace is an ACCESS_ALLOWED_ACE.
func ace(flags byte, mask uint32, who []byte) []byte {
	out := []byte{0, flags}
	out = binary.LittleEndian.AppendUint16(out, uint16(8+len(who)))
	out = binary.LittleEndian.AppendUint32(out, mask)
	return append(out, who...)
}

func sid(parts ...uint32) []byte {
	out := []byte{1, byte(len(parts)), 0, 0, 0, 0, 0, 5}
	for _, part := range parts {
		out = binary.LittleEndian.AppendUint32(out, part)
	}
	return out
}
