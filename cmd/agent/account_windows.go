package main

import (
	"github.com/go-logr/logr"
	"golang.org/x/sys/windows"
)

// tellAccount logs what the account of this process cannot do. An account that is not an administrator, as ContainerUser, can read
// the stores of LocalMachine and not write to them
// (https://learn.microsoft.com/windows/win32/seccrypto/system-store-locations).
func tellAccount(log logr.Logger) {
	if !windows.GetCurrentProcessToken().IsElevated() {
		log.Info("This account is not an administrator, so it cannot install certificates into LocalMachine: run it as ContainerAdministrator or an administrator, or set certificateStoreLocation to CurrentUser, which are the stores of this account")
	}
}

// programData returns the folder of the data that belongs to no user. The system is asked for it, since a service and a person may
// have different environments (https://learn.microsoft.com/windows/win32/shell/knownfolderid).
func programData() string {
	if folder, err := windows.KnownFolderPath(windows.FOLDERID_ProgramData, 0); err == nil {
		return folder
	}
	return `C:\ProgramData`
}
