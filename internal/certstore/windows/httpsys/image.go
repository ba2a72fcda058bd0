package httpsys

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/thumbprint"
)

// image is a structure of the HTTP Server API, followed by the data that its pointers point to. Its pointers are offsets from its
// start, and 0 is NULL: the structure itself is there.
type image struct {
	data     []byte
	pointers []int // where they are
}

// point appends data, and sets the pointer at an offset to it.
func (i *image) point(offset int, data []byte) {
	const alignment = 8
	for len(i.data)%alignment != 0 {
		i.data = append(i.data, 0)
	}
	binary.LittleEndian.PutUint64(i.data[offset:], uint64(len(i.data)))
	i.data = append(i.data, data...)
	if !slices.Contains(i.pointers, offset) {
		i.pointers = append(i.pointers, offset)
	}
}

// target returns the data from where the pointer at an offset points to, nil for NULL.
func (i *image) target(offset int) []byte {
	if at := binary.LittleEndian.Uint64(i.data[offset:]); at != 0 {
		return i.data[at:]
	}
	return nil
}

// at makes the pointers addresses, for an image whose first byte has the address base. It is no image any more then.
func (i *image) at(base uint64) {
	for _, offset := range i.pointers {
		if target := binary.LittleEndian.Uint64(i.data[offset:]); target != 0 {
			binary.LittleEndian.PutUint64(i.data[offset:], base+target)
		}
	}
}

// recordImage returns a copy of a record that the system wrote to the address base, as an image.
func recordImage(record []byte, base uint64, layout recordLayout) (*image, error) {
	if len(record) < layout.size() {
		return nil, errBadRecord
	}
	key := layout.address
	if layout.host != 0 {
		key = layout.host
	}
	i := &image{slices.Clone(record), []int{key, layout.hash(), layout.param + paramStoreName, layout.param + paramCtlID, layout.param + paramCtlStore}}
	for _, offset := range i.pointers {
		target := binary.LittleEndian.Uint64(i.data[offset:])
		if target == 0 {
			continue
		}
		if target < base || target-base < uint64(layout.size()) || target-base >= uint64(len(record)) {
			return nil, errBadRecord
		}
		binary.LittleEndian.PutUint64(i.data[offset:], target-base)
	}
	if hash := i.target(layout.hash()); uint64(len(hash)) < uint64(i.hashLength(layout)) {
		return nil, errBadRecord
	}
	return i, nil
}

func (i *image) hashLength(layout recordLayout) uint32 {
	return binary.LittleEndian.Uint32(i.data[layout.hashLength():])
}

// Binding is which certificate a binding has.
type Binding struct {
	// Thumbprint is that of the certificate.
	Thumbprint string
	// Store is the name of its store of LocalMachine.
	Store string
}

// defaultStore is the store of a record that names none
// (https://learn.microsoft.com/windows/win32/api/http/ns-http-http_service_config_ssl_param).
const defaultStore = "MY"

// binding returns the certificate of a record. A record without a SHA-1 hash is an error: its certificate is unknown, so it must not
// be replaced.
func (i *image) binding(layout recordLayout) (Binding, error) {
	length := i.hashLength(layout)
	if length != thumbprint.Size {
		return Binding{}, fmt.Errorf("it names its certificate by %d bytes and not by a SHA-1 hash, so it cannot be followed", length)
	}
	return Binding{Thumbprint: thumbprint.Text(i.target(layout.hash())[:thumbprint.Size]), Store: i.store(layout)}, nil
}

func (i *image) store(layout recordLayout) string {
	if name := wideText(i.target(layout.param + paramStoreName)); name != "" {
		return name
	}
	return defaultStore
}

// change gives a record another certificate, and leaves everything else as it is.
func (i *image) change(layout recordLayout, hash []byte, store string) {
	binary.LittleEndian.PutUint32(i.data[layout.hashLength():], uint32(len(hash)))
	i.point(layout.hash(), hash)
	if !strings.EqualFold(i.store(layout), store) {
		i.point(layout.param+paramStoreName, wide(store))
	}
}

// newRecord returns the record of a binding that belongs to an application, without flags.
func newRecord(key Key, application string, hash []byte, store string) (*image, error) {
	layout := key.layout()
	i := &image{data: make([]byte, layout.size())}
	if err := key.put(i, 0); err != nil {
		return nil, err
	}
	id, err := guid(application)
	if err != nil {
		return nil, err
	}
	copy(i.data[layout.param+paramAppID:], id)
	i.change(layout, hash, store)
	if strings.EqualFold(store, defaultStore) { // named anyway, as netsh and IIS do
		i.point(layout.param+paramStoreName, wide(store))
	}
	return i, nil
}

// newQuery returns the query for one binding: the kind of query, the key, and a token that it does not use
// (https://learn.microsoft.com/windows/win32/api/http/ns-http-http_service_config_ssl_query,
// https://learn.microsoft.com/windows/win32/api/http/ns-http-http_service_config_ssl_sni_query).
func newQuery(key Key) (*image, error) {
	const kindSize, tokenSize = 8, 8 // with the padding after them; the kind HttpServiceConfigQueryExact is 0
	i := &image{data: make([]byte, kindSize+key.layout().param+tokenSize)}
	return i, key.put(i, kindSize)
}

// querySize is the size of the query without the data that its pointers point to.
func querySize(key Key) int { return 8 + key.layout().param + 8 }

// wide returns UTF-16 with a zero at its end.
func wide(text string) []byte {
	var data []byte
	for _, unit := range append(utf16.Encode([]rune(text)), 0) {
		data = binary.LittleEndian.AppendUint16(data, unit)
	}
	return data
}
