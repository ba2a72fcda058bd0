package hklm

import (
	"errors"
	"fmt"

	"golang.org/x/sys/windows/registry"
)

// Open opens a key, which the caller closes. A key that does not exist is not an error, and not ok
// (https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regopenkeyexw).
func Open(path string, access uint32) (key registry.Key, ok bool, err error) {
	key, err = registry.OpenKey(registry.LOCAL_MACHINE, path, access)
	if errors.Is(err, registry.ErrNotExist) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf(`opening HKLM\%s: %w`, path, err)
	}
	return key, true, nil
}

// Close closes a key. The error is of no use: nothing is written by closing.
func Close(key registry.Key) { _ = key.Close() }

// Text returns a value of type REG_SZ, "" for one that does not exist. exists is false if the key does not exist
// (https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regqueryvalueexw).
func Text(path, name string) (text string, exists bool, err error) {
	key, ok, err := Open(path, registry.QUERY_VALUE)
	if err != nil || !ok {
		return "", false, err
	}
	defer Close(key)
	text, _, err = key.GetStringValue(name)
	return text, true, reading(path, name, err)
}

// Binary returns a value of type REG_BINARY, nil for one that does not exist. exists is false if the key does not exist.
func Binary(path, name string) (data []byte, exists bool, err error) {
	key, ok, err := Open(path, registry.QUERY_VALUE)
	if err != nil || !ok {
		return nil, false, err
	}
	defer Close(key)
	data, _, err = key.GetBinaryValue(name)
	return data, true, reading(path, name, err)
}

// SetText sets a value of type REG_SZ of a key that exists
// (https://learn.microsoft.com/windows/win32/api/winreg/nf-winreg-regsetvalueexw).
func SetText(path, name, text string) error {
	return set(path, name, func(key registry.Key) error { return key.SetStringValue(name, text) })
}

// SetBinary sets a value of type REG_BINARY of a key that exists.
func SetBinary(path, name string, data []byte) error {
	return set(path, name, func(key registry.Key) error { return key.SetBinaryValue(name, data) })
}

func set(path, name string, write func(registry.Key) error) error {
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.SET_VALUE)
	if err == nil {
		defer Close(key)
		err = write(key)
	}
	if err != nil {
		return fmt.Errorf(`setting %s of HKLM\%s: %w`, name, path, err)
	}
	return nil
}

// reading adds the place to the error of a read. A value that does not exist is no error.
func reading(path, name string, err error) error {
	if err == nil || errors.Is(err, registry.ErrNotExist) {
		return nil
	}
	return fmt.Errorf(`reading %s of HKLM\%s: %w`, name, path, err)
}
