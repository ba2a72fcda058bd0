package winerror

import "fmt"

// status is the name and text of a code in winerror.h.
type status struct{ name, text string }

// statuses are the codes that functions for certificate stores, keys, accounts and http.sys return, so that error messages contain
// names to search for. The texts are Microsoft's English ones: Wine has no texts for HRESULTs, and a localized Windows has others
// (https://learn.microsoft.com/windows/win32/com/com-error-codes-4, https://learn.microsoft.com/windows/win32/debug/system-error-codes).
var statuses = map[uint32]status{
	1:    {"ERROR_INVALID_FUNCTION", "Incorrect function."},
	2:    {"ERROR_FILE_NOT_FOUND", "The system cannot find the file specified."},
	3:    {"ERROR_PATH_NOT_FOUND", "The system cannot find the path specified."},
	5:    {"ERROR_ACCESS_DENIED", "Access is denied."},
	6:    {"ERROR_INVALID_HANDLE", "The handle is invalid."},
	8:    {"ERROR_NOT_ENOUGH_MEMORY", "Not enough memory resources are available to process this command."},
	13:   {"ERROR_INVALID_DATA", "The data is invalid."},
	19:   {"ERROR_WRITE_PROTECT", "The media is write protected."},
	32:   {"ERROR_SHARING_VIOLATION", "The process cannot access the file because it is being used by another process."},
	50:   {"ERROR_NOT_SUPPORTED", "The request is not supported."},
	87:   {"ERROR_INVALID_PARAMETER", "The parameter is incorrect."},
	112:  {"ERROR_DISK_FULL", "There is not enough space on the disk."},
	120:  {"ERROR_CALL_NOT_IMPLEMENTED", "This function is not supported on this system."},
	122:  {"ERROR_INSUFFICIENT_BUFFER", "The data area passed to a system call is too small."},
	126:  {"ERROR_MOD_NOT_FOUND", "The specified module could not be found."},
	127:  {"ERROR_PROC_NOT_FOUND", "The specified procedure could not be found."},
	170:  {"ERROR_BUSY", "The requested resource is in use."},
	234:  {"ERROR_MORE_DATA", "More data is available."},
	259:  {"ERROR_NO_MORE_ITEMS", "No more data is available."},
	1018: {"ERROR_KEY_DELETED", "Illegal operation attempted on a registry key that has been marked for deletion."},
	1115: {"ERROR_SHUTDOWN_IN_PROGRESS", "A system shutdown is in progress."},
	1168: {"ERROR_NOT_FOUND", "Element not found."},
	1223: {"ERROR_CANCELLED", "The operation was canceled by the user."},
	1300: {"ERROR_NOT_ALL_ASSIGNED", "Not all privileges or groups referenced are assigned to the caller."},
	1307: {"ERROR_INVALID_OWNER", "This security ID may not be assigned as the owner of this object."},
	1314: {"ERROR_PRIVILEGE_NOT_HELD", "A required privilege is not held by the client."},
	1332: {"ERROR_NONE_MAPPED", "No mapping between account names and security IDs was done."},
	1336: {"ERROR_INVALID_ACL", "The access control list (ACL) structure is invalid."},
	1337: {"ERROR_INVALID_SID", "The security ID structure is invalid."},
	1338: {"ERROR_INVALID_SECURITY_DESCR", "The security descriptor structure is invalid."},
	1355: {"ERROR_NO_SUCH_DOMAIN", "The specified domain either does not exist or could not be contacted."},
	1450: {"ERROR_NO_SYSTEM_RESOURCES", "Insufficient system resources exist to complete the requested service."},
	1722: {"RPC_S_SERVER_UNAVAILABLE", "The RPC server is unavailable."},
	1786: {"ERROR_NO_TRUST_LSA_SECRET", "The workstation does not have a trust secret."},
	1788: {"ERROR_TRUSTED_DOMAIN_FAILURE", "The trust relationship between the primary domain and the trusted domain failed."},
	1789: {"ERROR_TRUSTED_RELATIONSHIP_FAILURE", "The trust relationship between this workstation and the primary domain failed."},

	0x80004001: {"E_NOTIMPL", "Not implemented"},
	0x80004005: {"E_FAIL", "Unspecified error"},
	0x8000FFFF: {"E_UNEXPECTED", "Catastrophic failure"},
	0x80070005: {"E_ACCESSDENIED", "Access is denied."},
	0x80070006: {"E_HANDLE", "The handle is invalid."},
	0x8007000E: {"E_OUTOFMEMORY", "Not enough memory resources are available to complete this operation."},
	0x80070057: {"E_INVALIDARG", "The parameter is incorrect."},

	0x80090003: {"NTE_BAD_KEY", "Bad Key."},
	0x80090004: {"NTE_BAD_LEN", "Bad Length."},
	0x80090005: {"NTE_BAD_DATA", "Bad Data."},
	0x80090007: {"NTE_BAD_VER", "Bad Version of provider."},
	0x80090008: {"NTE_BAD_ALGID", "Invalid algorithm specified."},
	0x80090009: {"NTE_BAD_FLAGS", "Invalid flags specified."},
	0x8009000A: {"NTE_BAD_TYPE", "Invalid type specified."},
	0x8009000B: {"NTE_BAD_KEY_STATE", "Key not valid for use in specified state."},
	0x8009000D: {"NTE_NO_KEY", "Key does not exist."},
	0x8009000E: {"NTE_NO_MEMORY", "Insufficient memory available for the operation."},
	0x8009000F: {"NTE_EXISTS", "Object already exists."},
	0x80090010: {"NTE_PERM", "Access denied."},
	0x80090011: {"NTE_NOT_FOUND", "Object was not found."},
	0x80090013: {"NTE_BAD_PROVIDER", "Invalid provider specified."},
	0x80090014: {"NTE_BAD_PROV_TYPE", "Invalid provider type specified."},
	0x80090016: {"NTE_BAD_KEYSET", "Keyset does not exist"},
	0x80090017: {"NTE_PROV_TYPE_NOT_DEF", "Provider type not defined."},
	0x80090019: {"NTE_KEYSET_NOT_DEF", "The keyset is not defined."},
	0x8009001A: {"NTE_KEYSET_ENTRY_BAD", "Keyset as registered is invalid."},
	0x8009001D: {"NTE_PROVIDER_DLL_FAIL", "Provider DLL failed to initialize correctly."},
	0x8009001E: {"NTE_PROV_DLL_NOT_FOUND", "Provider DLL could not be found."},
	0x8009001F: {"NTE_BAD_KEYSET_PARAM", "The Keyset parameter is invalid."},
	0x80090020: {"NTE_FAIL", "An internal error occurred."},
	0x80090021: {"NTE_SYS_ERR", "A base error occurred."},
	0x80090022: {"NTE_SILENT_CONTEXT", "Provider could not perform the action since the context was acquired as silent."},
	0x80090024: {"NTE_TEMPORARY_PROFILE", "The profile for the user is a temporary profile."},
	0x80090026: {"NTE_INVALID_HANDLE", "The supplied handle is invalid."},
	0x80090027: {"NTE_INVALID_PARAMETER", "The parameter is incorrect."},
	0x80090028: {"NTE_BUFFER_TOO_SMALL", "The buffer supplied to a function was too small."},
	0x80090029: {"NTE_NOT_SUPPORTED", "The requested operation is not supported."},
	0x8009002A: {"NTE_NO_MORE_ITEMS", "No more data is available."},
	0x8009002D: {"NTE_INTERNAL_ERROR", "An internal consistency check failed."},
	0x80090030: {"NTE_DEVICE_NOT_READY", "The device that is required by this cryptographic provider is not ready for use."},

	0x80092003: {"CRYPT_E_FILE_ERROR", "An error occurred while reading or writing to a file."},
	0x80092004: {"CRYPT_E_NOT_FOUND", "Cannot find object or property."},
	0x80092005: {"CRYPT_E_EXISTS", "The object or property already exists."},
	0x80092006: {"CRYPT_E_NO_PROVIDER", "No provider was specified for the store or object."},
	0x80092009: {"CRYPT_E_NO_MATCH", "Cannot find the requested object."},
	0x8009200B: {"CRYPT_E_NO_KEY_PROPERTY", "Cannot find the certificate and private key for decryption."},
	0x8009310B: {"CRYPT_E_ASN1_BADTAG", "ASN1 bad tag value met."},
}

// describe writes a code as `0x80090016 NTE_BAD_KEYSET: Keyset does not exist`. For an unknown code it writes the number and the
// system's text, and for an HRESULT of a Win32 code that code's name and text
// (https://learn.microsoft.com/windows/win32/api/winerror/nf-winerror-hresult_from_win32).
func describe(code uint32, systemText string) string {
	known, ok := statuses[code]
	if !ok && code>>16 == 0x8007 {
		known, ok = statuses[code&0xFFFF]
	}
	if !ok {
		return fmt.Sprintf("0x%08X: %s", code, systemText)
	}
	return fmt.Sprintf("0x%08X %s: %s", code, known.name, known.text)
}
