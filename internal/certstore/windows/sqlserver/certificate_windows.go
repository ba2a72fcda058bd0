package sqlserver

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/sys/windows/registry"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/hklm"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/thumbprint"
)

const (
	// instances has a value for each instance: its name, and its id, REG_SZ
	// (https://learn.microsoft.com/sql/sql-server/install/file-locations-for-default-and-named-instances-of-sql-server).
	instances = `SOFTWARE\Microsoft\Microsoft SQL Server\Instance Names\SQL`
	// value names the certificate, in LocalMachine\MY, by its thumbprint, REG_SZ
	// (https://learn.microsoft.com/sql/database-engine/configure-windows/configure-sql-server-encryption).
	value = "Certificate"
)

// Instance is how the machine has configured an instance.
type Instance struct {
	// Name is its name, as the registry spells it.
	Name string
	// Thumbprint is its certificate, in upper case; empty for none.
	Thumbprint string
	// Written is when its network settings were last written.
	Written time.Time
}

// Read returns an instance, whatever the spelling of its name in upper and lower case. exists is false if the machine does not have
// it.
func Read(name string) (found Instance, exists bool, err error) {
	if err := checkInstance(name); err != nil {
		return Instance{}, false, err
	}
	names, err := list()
	if err != nil {
		return Instance{}, false, err
	}
	for _, candidate := range names {
		if strings.EqualFold(candidate, name) {
			return read(candidate)
		}
	}
	return Instance{}, false, nil
}

// All returns every instance of the machine. One whose settings cannot be read is an error.
func All() ([]Instance, error) {
	names, err := list()
	if err != nil {
		return nil, err
	}
	var found []Instance
	for _, name := range names {
		one, exists, err := read(name)
		if err != nil {
			return nil, err
		}
		if exists {
			found = append(found, one)
		}
	}
	return found, nil
}

// Set sets the certificate of an instance that has the certificate seen. It is written in lower case, as SQL Server's own tools do.
func Set(name, seen, next string) error {
	if _, err := thumbprint.Bytes(next); err != nil {
		return err
	}
	now, exists, err := Read(name)
	if err != nil {
		return err
	}
	if !exists {
		return fmt.Errorf("this machine has no instance %s of SQL Server any more", name)
	}
	if err := thumbprint.Unchanged(now.Thumbprint, seen); err != nil {
		return err
	}
	path, err := settings(now.Name)
	if err != nil {
		return err
	}
	return hklm.SetText(path, value, strings.ToLower(next))
}

// list returns the names of all instances, none on a machine without SQL Server
// (https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regenumvaluew).
func list() ([]string, error) {
	key, ok, err := hklm.Open(instances, registry.QUERY_VALUE)
	if err != nil || !ok {
		return nil, err
	}
	defer hklm.Close(key)
	names, err := key.ReadValueNames(0)
	if err != nil {
		return nil, fmt.Errorf(`listing HKLM\%s: %w`, instances, err)
	}
	return names, nil
}

// settings returns the path of the network settings of an instance that list returned.
func settings(name string) (string, error) {
	id, _, err := hklm.Text(instances, name)
	if err != nil {
		return "", err
	}
	path, err := networkKey(id)
	if err != nil {
		return "", fmt.Errorf(`%s of HKLM\%s: %w`, name, instances, err)
	}
	return path, nil
}

// read reads the settings of an instance that list returned. An instance without network settings does not exist: its installation
// has not got that far, or its removal has left the name.
func read(name string) (found Instance, exists bool, err error) {
	path, err := settings(name)
	if err != nil {
		return Instance{}, false, err
	}
	key, ok, err := hklm.Open(path, registry.QUERY_VALUE)
	if err != nil || !ok {
		return Instance{}, false, err
	}
	defer hklm.Close(key)
	// https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regqueryinfokeyw
	info, err := key.Stat()
	if err != nil {
		return Instance{}, false, fmt.Errorf(`reading HKLM\%s: %w`, path, err)
	}
	text, _, err := hklm.Text(path, value)
	if err != nil {
		return Instance{}, false, err
	}
	return Instance{Name: name, Thumbprint: thumbprint.Clean(text), Written: info.ModTime()}, true, nil
}
