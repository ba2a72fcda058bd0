package httpsys

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/thumbprint"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
)

// Read returns the certificate of a binding. exists is false if the machine does not have the binding. One that does not name its
// certificate by a SHA-1 hash is an error.
func Read(key Key) (found Binding, exists bool, err error) {
	end, err := begin()
	if errors.Is(err, errNone) {
		return Binding{}, false, nil
	}
	if err != nil {
		return Binding{}, false, err
	}
	defer func() { err = errors.Join(err, end()) }()
	found, record, err := read(key)
	return found, record != nil, err
}

// Switch gives a binding that has the certificate seen another one, and keeps everything else of it: its application, the checks of
// client certificates, and its flags.
//
// The change is atomic. HttpUpdateServiceConfiguration does it, which Windows has since version 1703 and Windows Server 2019. Before,
// a binding had to be deleted and created again; a process that is killed in between would leave none, and nothing would know what
// the binding was like. So on such a system Switch is an error.
func Switch(key Key, seen, store, next string) (err error) {
	hash, end, err := prepare(store, next)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	now, record, err := read(key)
	if err != nil {
		return err
	}
	if record == nil {
		return fmt.Errorf("http.sys has no binding %s any more", key.Name)
	}
	if err := thumbprint.Unchanged(now.Thumbprint, seen); err != nil {
		return fmt.Errorf("the binding %s of http.sys: %w", key.Name, err)
	}
	record.change(key.layout(), hash, store)
	err = pass(record, key.layout().size(), func(data *byte, size uint32) error {
		return wincrypt.HttpUpdateServiceConfiguration(0, key.kind(), data, size, 0)
	})
	if winerror.Is(err, windows.ERROR_PROC_NOT_FOUND) {
		return fmt.Errorf("changing the binding %s of http.sys: this Windows can only delete a binding and create it again, which could lose it; it has no HttpUpdateServiceConfiguration: %w", key.Name, err)
	}
	return written(key, "changing", next, err)
}

// Create creates a binding, which belongs to the application with a GUID in braces, without flags. One that exists is an error
// (https://learn.microsoft.com/windows/win32/api/http/nf-http-httpsetserviceconfiguration).
func Create(key Key, application, store, next string) (err error) {
	hash, end, err := prepare(store, next)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	record, err := newRecord(key, application, hash, store)
	if err != nil {
		return err
	}
	err = pass(record, key.layout().size(), func(data *byte, size uint32) error {
		return wincrypt.HttpSetServiceConfiguration(0, key.kind(), data, size, 0)
	})
	return written(key, "creating", next, err)
}

// prepare returns the bytes of a thumbprint, and opens the configuration until end is called.
func prepare(store, next string) (hash []byte, end func() error, err error) {
	if store == "" || strings.ContainsRune(store, 0) {
		return nil, nil, fmt.Errorf("%q is not the name of a store", store)
	}
	if hash, err = thumbprint.Bytes(next); err != nil {
		return nil, nil, err
	}
	end, err = begin()
	return hash, end, err
}

// written returns the error of a change, and one if the binding does not have the certificate after it: Wine's functions succeed and
// do nothing.
func written(key Key, act, next string, err error) error {
	if err != nil {
		return fmt.Errorf("%s the binding %s of http.sys: %w", act, key.Name, err)
	}
	now, _, err := read(key)
	if err == nil && !strings.EqualFold(now.Thumbprint, next) {
		err = fmt.Errorf("%s the binding %s of http.sys succeeded, and it has the certificate %q instead of %s", act, key.Name, now.Thumbprint, next)
	}
	return err
}

// kind is the HTTP_SERVICE_CONFIG_ID of the binding's records
// (https://learn.microsoft.com/windows/win32/api/http/ne-http-http_service_config_id).
func (k Key) kind() uint32 {
	if k.ByHost {
		return wincrypt.HttpServiceConfigSslSniCertInfo
	}
	return wincrypt.HttpServiceConfigSSLCertInfo
}

// read returns a binding and its record, no record if it does not exist.
func read(key Key) (Binding, *image, error) {
	query, err := newQuery(key)
	if err != nil {
		return Binding{}, nil, err
	}
	var record []byte
	err = pass(query, querySize(key), func(_ *byte, size uint32) (err error) {
		record, err = queryRecord(key.kind(), query.data[:size])
		return err
	})
	if winerror.Is(err, windows.ERROR_FILE_NOT_FOUND, windows.ERROR_NO_MORE_ITEMS) {
		return Binding{}, nil, nil
	}
	var found Binding
	var copied *image
	if err == nil {
		copied, err = recordImage(record, address(record), key.layout())
	}
	if err == nil {
		found, err = copied.binding(key.layout())
	}
	if err != nil {
		return Binding{}, nil, fmt.Errorf("reading the binding %s of http.sys: %w", key.Name, err)
	}
	return found, copied, nil
}

// pass makes the pointers of an image addresses, and calls a function with it. size is that of its structure.
func pass(i *image, size int, call func(data *byte, size uint32) error) error {
	i.at(address(i.data))
	err := call(unsafe.SliceData(i.data), uint32(size))
	runtime.KeepAlive(i.data) // Go does not see its pointers
	return err
}

func address(data []byte) uint64 { return uint64(uintptr(unsafe.Pointer(unsafe.SliceData(data)))) }
