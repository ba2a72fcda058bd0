package windows

import (
	"fmt"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/httpsys"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/remotedesktop"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/sqlserver"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/winrm"
)

// Bindings implements certstore.Machine: the bindings of http.sys, and the certificates of Remote Desktop, WinRM and SQL Server.
func (Machine) Bindings() (map[string][]string, error) {
	bound, err := httpsys.Bindings()
	if err == nil {
		err = addPrograms(bound)
	}
	if err != nil {
		return nil, winerror.Named(err)
	}
	return bound, nil
}

// addPrograms adds the certificates of the programs that have one each. A program that the machine does not have has none.
func addPrograms(bound map[string][]string) error {
	add := func(thumbprint, program string) {
		if thumbprint != "" {
			bound[thumbprint] = append(bound[thumbprint], program)
		}
	}
	found, _, err := remotedesktop.Certificate()
	if err != nil {
		return fmt.Errorf("reading the certificate of Remote Desktop: %w", err)
	}
	add(found, "Remote Desktop")
	if found, _, err = winrm.Certificate(); err != nil {
		return fmt.Errorf("reading the certificate of WinRM: %w", err)
	}
	add(found, "WinRM HTTPS")
	instances, err := sqlserver.All()
	if err != nil {
		return fmt.Errorf("reading the certificates of SQL Server: %w", err)
	}
	for _, instance := range instances {
		add(instance.Thumbprint, "SQL Server "+instance.Name)
	}
	return nil
}
