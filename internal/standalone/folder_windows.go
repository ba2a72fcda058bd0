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

// MakeFolder creates a folder that only this account and administrators can write to.
// https://learn.microsoft.com/windows/win32/api/fileapi/nf-fileapi-createdirectoryw
func MakeFolder(path string) error {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return nil
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
