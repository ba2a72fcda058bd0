package httpsys

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Key names a binding.
type Key struct {
	// Name is an address and a port, such as 0.0.0.0:443 or [::]:443, or a host name and a port.
	Name string
	// ByHost is true for a host name.
	ByHost bool
}

// Families of addresses (https://learn.microsoft.com/windows/win32/winsock/sockaddr-2).
const (
	familyIPv4 = 2
	familyIPv6 = 23
)

var (
	hostForm = regexp.MustCompile(`^([*][.])?[0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?([.][0-9A-Za-z_]([0-9A-Za-z_-]*[0-9A-Za-z_])?)*$`)
	guidForm = regexp.MustCompile(`^[{][0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}[}]$`)
)

// layout is that of the binding's record.
func (k Key) layout() recordLayout {
	if k.ByHost {
		return hostRecord
	}
	return addressRecord
}

// put writes the key into a structure at an offset.
func (k Key) put(i *image, offset int) error {
	if !k.ByHost {
		address, err := netip.ParseAddrPort(k.Name)
		if err != nil || address.Port() == 0 || address.Addr().Zone() != "" {
			return fmt.Errorf("%q is not an address and a port, such as 0.0.0.0:443 or [::]:443", k.Name)
		}
		i.point(offset, socketAddress(address))
		return nil
	}
	host, port, ok := strings.Cut(k.Name, ":")
	number, err := strconv.ParseUint(port, 10, 16)
	if !ok || err != nil || number == 0 || len(host) > 253 || !hostForm.MatchString(host) {
		return fmt.Errorf("%q is not a host name and a port, such as shop.example.com:443", k.Name)
	}
	// A SOCKADDR_STORAGE of which only the port counts
	// (https://learn.microsoft.com/windows/win32/api/http/ns-http-http_service_config_ssl_sni_key).
	copy(i.data[offset:], socketAddress(netip.AddrPortFrom(netip.IPv4Unspecified(), uint16(number))))
	i.point(offset+hostRecord.host, wide(host))
	return nil
}

// socketAddress returns a SOCKADDR_IN or SOCKADDR_IN6
// (https://learn.microsoft.com/windows/win32/api/ws2def/ns-ws2def-sockaddr_in,
// https://learn.microsoft.com/windows/win32/api/ws2ipdef/ns-ws2ipdef-sockaddr_in6_lh).
func socketAddress(address netip.AddrPort) []byte {
	const sizeIPv4, sizeIPv6 = 16, 28
	data, family, at := make([]byte, sizeIPv4), uint16(familyIPv4), 4
	if !address.Addr().Is4() {
		data, family, at = make([]byte, sizeIPv6), familyIPv6, 8
	}
	binary.LittleEndian.PutUint16(data, family)
	binary.BigEndian.PutUint16(data[2:], address.Port())
	copy(data[at:], address.Addr().AsSlice())
	return data
}

// guid returns the bytes of a GUID in braces (https://learn.microsoft.com/windows/win32/api/guiddef/ns-guiddef-guid).
func guid(text string) ([]byte, error) {
	if !guidForm.MatchString(text) {
		return nil, fmt.Errorf("%q is not a GUID in braces", text)
	}
	data, err := hex.DecodeString(strings.NewReplacer("{", "", "}", "", "-", "").Replace(text))
	if err != nil {
		return nil, err
	}
	binary.LittleEndian.PutUint32(data, binary.BigEndian.Uint32(data))
	binary.LittleEndian.PutUint16(data[4:], binary.BigEndian.Uint16(data[4:]))
	binary.LittleEndian.PutUint16(data[6:], binary.BigEndian.Uint16(data[6:]))
	return data, nil
}
