package httpsys

import (
	"encoding/binary"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/wincrypt"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
)

// Bindings returns the TLS bindings of http.sys, such as 0.0.0.0:443 or shop.example:443, by the SHA-1 thumbprint of their certificate,
// which is in a store of LocalMachine. Bindings of the central certificate store have no thumbprint and are omitted. A system
// without http.sys has no bindings. On an error the bindings are unknown (https://learn.microsoft.com/windows/win32/api/http/nf-http-httpqueryserviceconfiguration).
func Bindings() (bound map[string][]string, err error) {
	bound = map[string][]string{}
	end, err := begin()
	if errors.Is(err, errNone) {
		return bound, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	for _, kind := range []struct {
		id     uint32
		token  int // offset of the token in the query, after a key that a query for the next record does not use
		layout recordLayout
	}{
		// HTTP_SERVICE_CONFIG_SSL_QUERY (https://learn.microsoft.com/windows/win32/api/http/ns-http-http_service_config_ssl_query)
		{wincrypt.HttpServiceConfigSSLCertInfo, 16, addressRecord},
		// HTTP_SERVICE_CONFIG_SSL_SNI_QUERY (https://learn.microsoft.com/windows/win32/api/http/ns-http-http_service_config_ssl_sni_query)
		{wincrypt.HttpServiceConfigSslSniCertInfo, 144, hostRecord},
	} {
		err := eachRecord(kind.id, kind.token, func(record []byte, base uint64) error {
			found, err := decodeBinding(record, base, kind.layout)
			if err == nil && found.thumbprint != "" && !slices.Contains(bound[found.thumbprint], found.name) {
				bound[found.thumbprint] = append(bound[found.thumbprint], found.name)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("reading the bindings of http.sys: %w", err)
		}
	}
	return bound, nil
}

// errNone says that this system has no http.sys.
var errNone = errors.New("this system has no http.sys")

// begin opens the configuration of http.sys, until end is called
// (https://learn.microsoft.com/windows/win32/api/http/nf-http-httpinitialize).
func begin() (end func() error, err error) {
	err = wincrypt.HttpInitialize(wincrypt.HTTPAPI_VERSION_2, wincrypt.HTTP_INITIALIZE_CONFIG, 0)
	if winerror.Is(err, windows.ERROR_MOD_NOT_FOUND, windows.ERROR_PROC_NOT_FOUND) {
		return nil, errNone
	}
	if err != nil {
		return nil, fmt.Errorf("opening the configuration of http.sys: %w", err)
	}
	return func() error { return wincrypt.HttpTerminate(wincrypt.HTTP_INITIALIZE_CONFIG, 0) }, nil
}

// eachRecord calls visit with every configuration record of a kind, and the address to which it was written.
func eachRecord(kind uint32, tokenOffset int, visit func(record []byte, base uint64) error) error {
	const queryNext = 1                  // HttpServiceConfigQueryNext
	query := make([]byte, tokenOffset+8) // the size of the structure is a multiple of a pointer's size
	binary.LittleEndian.PutUint32(query, queryNext)
	for token := uint32(0); ; token++ {
		binary.LittleEndian.PutUint32(query[tokenOffset:], token)
		record, err := queryRecord(kind, query)
		// Wine answers the first query with "not found".
		if winerror.Is(err, windows.ERROR_NO_MORE_ITEMS, windows.ERROR_FILE_NOT_FOUND) {
			return nil
		}
		if err != nil {
			return err
		}
		err = visit(record, address(record))
		runtime.KeepAlive(record) // Go does not see its pointers
		if err != nil {
			return err
		}
	}
}

// queryRecord returns one record, and retries with a larger buffer if the first is too small.
func queryRecord(kind uint32, query []byte) ([]byte, error) {
	for size := uint32(1024); ; {
		record := make([]byte, size)
		var needed uint32
		err := wincrypt.HttpQueryServiceConfiguration(0, kind, &query[0], uint32(len(query)), &record[0], size, &needed, 0)
		if winerror.Is(err, windows.ERROR_INSUFFICIENT_BUFFER, windows.ERROR_MORE_DATA) && needed > size {
			size = needed
			continue
		}
		return record, err
	}
}
