package standalone

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unsafe"

	"golang.org/x/sys/windows"
)

// folderAccess lets SYSTEM, Administrators and the owner write, and users read. Without it a folder below %ProgramData% inherits
// that every user may create files in it.
// https://learn.microsoft.com/windows/win32/secauthz/ace-strings
const folderAccess = "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;OW)(A;OICI;FRFX;;;BU)"

// MakeFolder creates a folder that only this account and administrators can write to. It returns ErrForeignFolder for one that another
// account has made: every user may create folders below %ProgramData%, and the owner of a folder decides who may write to it.
// https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createdirectoryw
func MakeFolder(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return checkOwner(path)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // G301: Windows has no modes
		return err
	}
	descriptor, err := windows.SecurityDescriptorFromString(folderAccess)
	if err != nil {
		return fmt.Errorf("reading the access list of folders: %w", err)
	}
	name, err := windows.UTF16PtrFromString(path)
	if err != nil {
		return fmt.Errorf("naming the folder %q: %w", path, err)
	}
	attributes := &windows.SecurityAttributes{SecurityDescriptor: descriptor}
	attributes.Length = uint32(unsafe.Sizeof(*attributes))
	err = windows.CreateDirectory(name, attributes)
	if err != nil && !errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
		return fmt.Errorf("creating the folder %s: %w", path, err)
	}
	return nil
}

// checkOwner returns ErrForeignFolder unless a folder belongs to SYSTEM, Administrators or this account.
// https://learn.microsoft.com/windows/win32/api/aclapi/nf-aclapi-getnamedsecurityinfow
func checkOwner(path string) error {
	descriptor, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION)
	if err != nil {
		return fmt.Errorf("reading the owner of the folder %s: %w", path, err)
	}
	owner, _, err := descriptor.Owner()
	if err != nil {
		return fmt.Errorf("reading the owner of the folder %s: %w", path, err)
	}
	if owner.IsWellKnown(windows.WinLocalSystemSid) || owner.IsWellKnown(windows.WinBuiltinAdministratorsSid) {
		return nil
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err == nil && owner.Equals(user.User.Sid) {
		return nil
	}
	return fmt.Errorf("%w: %s belongs to %s; see who made it and what is in it, and remove it, or give it to the administrators: icacls %q /setowner *S-1-5-32-544 /T",
		ErrForeignFolder, path, owner, path)
}
