// Package winrm reads and sets the certificate of the HTTPS listener of Windows Remote Management
// (https://learn.microsoft.com/windows/win32/winrm/installation-and-configuration-for-windows-remote-management).
package winrm
