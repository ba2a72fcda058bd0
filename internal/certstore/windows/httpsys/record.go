package httpsys

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strconv"
	"unicode/utf16"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/thumbprint"
)

// binding is a TLS binding of http.sys.
type binding struct {
	name       string // its address or host and port, such as 0.0.0.0:443, [::]:443 or shop.example:443
	thumbprint string // SHA-1, empty for a binding without a certificate
}

// recordLayout contains the offsets of a record's fields, in bytes, on a 64-bit system. A record is a key, which names the binding,
// and a HTTP_SERVICE_CONFIG_SSL_PARAM.
type recordLayout struct {
	address int // of the SOCKADDR, or of the pointer to it
	host    int // of the pointer to the host name, 0 without one
	param   int // of HTTP_SERVICE_CONFIG_SSL_PARAM, which is also the size of the key
}

// Offsets in HTTP_SERVICE_CONFIG_SSL_PARAM
// (https://learn.microsoft.com/windows/win32/api/http/ns-http-http_service_config_ssl_param).
const (
	paramHashLength = 0
	paramHash       = 8
	paramAppID      = 16
	paramStoreName  = 32
	paramCtlID      = 56
	paramCtlStore   = 64
	paramSize       = 80
)

func (l recordLayout) hashLength() int { return l.param + paramHashLength }

func (l recordLayout) hash() int { return l.param + paramHash }

// size is the size of a record without the data that its pointers point to.
func (l recordLayout) size() int { return l.param + paramSize }

var (
	// addressRecord is HTTP_SERVICE_CONFIG_SSL_SET
	// (https://learn.microsoft.com/windows/win32/api/http/ns-http-http_service_config_ssl_set).
	addressRecord = recordLayout{address: 0, param: 8}
	// hostRecord is HTTP_SERVICE_CONFIG_SSL_SNI_SET, whose key begins with a SOCKADDR_STORAGE of 128 bytes
	// (https://learn.microsoft.com/windows/win32/api/http/ns-http-http_service_config_ssl_sni_set).
	hostRecord = recordLayout{address: 0, host: 128, param: 136}
)

var errBadRecord = errors.New("http.sys returned a record with a pointer outside of it")

// decodeBinding decodes a record of HttpQueryServiceConfiguration: a structure, followed by the data that its pointers point
// to. base is the address to which the system wrote it.
func decodeBinding(record []byte, base uint64, layout recordLayout) (binding, error) {
	if len(record) < layout.size() {
		return binding{}, errBadRecord
	}
	at := func(offset int) ([]byte, error) { // the data from the pointer at an offset to the end of the record
		target := binary.LittleEndian.Uint64(record[offset:])
		if target < base || target-base >= uint64(len(record)) {
			return nil, errBadRecord
		}
		return record[target-base:], nil
	}
	address, host := record[layout.address:], ""
	if layout.host == 0 {
		var err error
		if address, err = at(layout.address); err != nil {
			return binding{}, err
		}
	} else {
		text, err := at(layout.host)
		if err != nil {
			return binding{}, err
		}
		host = wideText(text)
	}
	found := binding{name: bindingName(address, host)}
	length := binary.LittleEndian.Uint32(record[layout.hashLength():])
	if length != thumbprint.Size { // of the central certificate store, or not SHA-1: it has no thumbprint
		return found, nil
	}
	hash, err := at(layout.hash())
	if err != nil || len(hash) < int(length) {
		return binding{}, errBadRecord
	}
	found.thumbprint = thumbprint.Text(hash[:length])
	return found, nil
}

// bindingName formats a SOCKADDR, with the host name if there is one in place of its address
// (https://learn.microsoft.com/windows/win32/winsock/sockaddr-2).
func bindingName(address []byte, host string) string {
	if len(address) < 8 {
		return host + "?"
	}
	port := binary.BigEndian.Uint16(address[2:])
	if host != "" {
		return host + ":" + strconv.Itoa(int(port))
	}
	switch family := binary.LittleEndian.Uint16(address); {
	case family == familyIPv4:
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(address[4:8])), port).String()
	case family == familyIPv6 && len(address) >= 24:
		return netip.AddrPortFrom(netip.AddrFrom16([16]byte(address[8:24])), port).String()
	default:
		return "?:" + strconv.Itoa(int(port))
	}
}

// wideText decodes UTF-16 up to its end or the first zero.
func wideText(data []byte) string {
	var units []uint16
	for ; len(data) >= 2; data = data[2:] {
		unit := binary.LittleEndian.Uint16(data)
		if unit == 0 {
			break
		}
		units = append(units, unit)
	}
	return string(utf16.Decode(units))
}
