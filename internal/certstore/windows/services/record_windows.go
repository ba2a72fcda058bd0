package services

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/windows/registry"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/hklm"
)

// Where the records are. The values of a service's key have fixed names; those with the names of ObservedCertificates are in a key
// below it, so neither can be mistaken for the other.
const (
	recordsPath      = `SOFTWARE\Vaultpane\Services`
	certificatesName = "Certificates" // a key: a value for each ObservedCertificate, the thumbprint that the service has, or has when it starts
	restartedAtValue = "RestartedAt"  // REG_SZ, RFC 3339
	stoppingValue    = "Stopping"     // REG_MULTI_SZ: the ObservedCertificate and its thumbprint
)

// intent says that a service is being restarted, and for what.
type intent struct{ owner, thumbprint string }

// record is what the registry has about a service.
type record struct {
	thumbprint  string // for one owner
	restartedAt time.Time
	stopping    *intent
}

func recordPath(name string) string { return recordsPath + `\` + name }

func certificatesPath(name string) string { return recordPath(name) + `\` + certificatesName }

// readRecord returns the record of a service for an owner, "" for none. A service that was never restarted has an empty one.
func readRecord(name, owner string) (record, error) {
	var found record
	key, ok, err := hklm.Open(recordPath(name), registry.QUERY_VALUE)
	if err != nil || !ok {
		return record{}, err
	}
	defer hklm.Close(key)
	text, _, err := key.GetStringValue(restartedAtValue)
	if err == nil {
		found.restartedAt, err = time.Parse(time.RFC3339Nano, text)
	}
	if err != nil && !errors.Is(err, registry.ErrNotExist) {
		return record{}, reading(name, restartedAtValue, err)
	}
	lines, _, err := key.GetStringsValue(stoppingValue)
	if err == nil {
		found.stopping = intentOf(lines)
	} else if !errors.Is(err, registry.ErrNotExist) {
		return record{}, reading(name, stoppingValue, err)
	}
	found.thumbprint, _, err = hklm.Text(certificatesPath(name), owner)
	return found, err
}

func reading(name, value string, err error) error {
	return fmt.Errorf(`reading %s of HKLM\%s: %w`, value, recordPath(name), err)
}

// intentOf returns the intent of a value. Whatever is in it, the value says that the service was being restarted.
func intentOf(lines []string) *intent {
	if len(lines) != 2 {
		return &intent{}
	}
	return &intent{lines[0], lines[1]}
}

// writeIntent notes that a service is about to be stopped, to be started again.
func writeIntent(name string, why intent) error {
	return write(recordPath(name), func(key registry.Key) error {
		return key.SetStringsValue(stoppingValue, []string{why.owner, why.thumbprint})
	})
}

// clearIntent removes the intent, if there is one.
func clearIntent(name string) error {
	return write(recordPath(name), func(key registry.Key) error {
		if err := key.DeleteValue(stoppingValue); err != nil && !errors.Is(err, registry.ErrNotExist) {
			return err
		}
		return nil
	})
}

// writeDone notes that a service was restarted, and for whom. The intent goes last: without it, nothing would say after a kill that
// the service is to run.
func writeDone(name string, at time.Time, done ...intent) error {
	if err := writeVersions(name, done...); err != nil {
		return err
	}
	err := write(recordPath(name), func(key registry.Key) error {
		return key.SetStringValue(restartedAtValue, at.UTC().Format(time.RFC3339Nano))
	})
	if err != nil {
		return err
	}
	return clearIntent(name)
}

// writeVersions notes which certificates a service has, or has when it starts.
func writeVersions(name string, done ...intent) error {
	return write(certificatesPath(name), func(key registry.Key) error {
		for _, one := range done {
			if err := key.SetStringValue(one.owner, one.thumbprint); err != nil {
				return err
			}
		}
		return nil
	})
}

// write opens a key for writing, and creates it where it does not exist, with the access list of the key above it
// (https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regcreatekeyexw).
func write(path string, change func(registry.Key) error) error {
	key, _, err := registry.CreateKey(registry.LOCAL_MACHINE, path, registry.SET_VALUE)
	if err == nil {
		defer hklm.Close(key)
		err = change(key)
	}
	if err != nil {
		return fmt.Errorf(`writing the record in HKLM\%s: %w`, path, err)
	}
	return nil
}
