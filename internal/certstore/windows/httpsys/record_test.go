package httpsys

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

const recordBase = 0x1_0000_2000

// wire builds a record: zeros, the data of its pointers after them, and the pointers.
type wire struct{ data []byte }

func newWire(size int) *wire { return &wire{make([]byte, size)} }

func (w *wire) put(offset int, data ...byte) *wire {
	copy(w.data[offset:], data)
	return w
}

func (w *wire) length(offset int, length uint32) *wire {
	binary.LittleEndian.PutUint32(w.data[offset:], length)
	return w
}

func (w *wire) point(offset int, data []byte) *wire {
	binary.LittleEndian.PutUint64(w.data[offset:], uint64(recordBase+len(w.data)))
	w.data = append(w.data, data...)
	return w
}

var (
	someHash = bytes.Repeat([]byte{0xAB}, 20)
	someName = "ABABABABABABABABABABABABABABABABABABABAB"
	anyV4    = []byte{2, 0, 0x01, 0xBB, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	oneV4    = []byte{2, 0, 0x20, 0xFB, 10, 1, 2, 3, 0, 0, 0, 0, 0, 0, 0, 0}
	anyV6    = append([]byte{23, 0, 0x01, 0xBB}, make([]byte, 24)...)
)

func TestDecodeBinding(t *testing.T) {
	for name, test := range map[string]struct {
		record []byte
		layout recordLayout
		want   binding
	}{
		"every IPv4 address": {newWire(88).point(0, anyV4).length(8, 20).point(16, someHash).data, addressRecord, binding{"0.0.0.0:443", someName}},
		"one IPv4 address":   {newWire(88).point(0, oneV4).length(8, 20).point(16, someHash).data, addressRecord, binding{"10.1.2.3:8443", someName}},
		"every IPv6 address": {newWire(88).point(0, anyV6).length(8, 20).point(16, someHash).data, addressRecord, binding{"[::]:443", someName}},
		"a host":             {newWire(216).put(0, anyV4...).point(128, wide("shop.example")).length(136, 20).point(144, someHash).data, hostRecord, binding{"shop.example:443", someName}},
		"a host with non-ASCII letters": {
			newWire(216).put(0, anyV4...).point(128, wide("bücher.example")).length(136, 20).point(144, someHash).data, hostRecord,
			binding{"bücher.example:443", someName},
		},
		"no certificate":           {newWire(88).point(0, anyV4).data, addressRecord, binding{"0.0.0.0:443", ""}},
		"a hash that is not SHA-1": {newWire(88).point(0, anyV4).length(8, 32).point(16, make([]byte, 32)).data, addressRecord, binding{"0.0.0.0:443", ""}},
		"another family":           {newWire(88).point(0, []byte{1, 0, 0, 80, 0, 0, 0, 0}).length(8, 20).point(16, someHash).data, addressRecord, binding{"?:80", someName}},
		"the hash comes first":     {newWire(88).length(8, 20).point(16, someHash).point(0, anyV4).data, addressRecord, binding{"0.0.0.0:443", someName}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := decodeBinding(test.record, recordBase, test.layout)
			if err != nil || got != test.want {
				t.Errorf("got %+v (%v), want %+v", got, err, test.want)
			}
		})
	}
}

func TestDecodeBindingRejectsInvalidRecords(t *testing.T) {
	for name, test := range map[string]struct {
		record []byte
		layout recordLayout
	}{
		"nothing":                {nil, addressRecord},
		"half a record":          {make([]byte, 87), addressRecord},
		"half a host's record":   {make([]byte, 215), hostRecord},
		"no address":             {newWire(88).length(8, 20).point(16, someHash).data, addressRecord},
		"no host":                {newWire(216).put(0, anyV4...).length(136, 20).point(144, someHash).data, hostRecord},
		"no hash":                {newWire(88).point(0, anyV4).length(8, 20).data, addressRecord},
		"a hash that ends early": {newWire(88).point(0, anyV4).length(8, 20).point(16, someHash[1:]).data, addressRecord},
		"a pointer before it":    {newWire(88).put(0, 0xFF, 0x1F, 0, 0, 1).length(8, 20).point(16, someHash).data, addressRecord},
		"a pointer after it":     {newWire(88).put(0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF).length(8, 20).point(16, someHash).data, addressRecord},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := decodeBinding(test.record, recordBase, test.layout); !errors.Is(err, errBadRecord) {
				t.Errorf("got %+v (%v)", got, err)
			}
		})
	}
}

func FuzzDecodeBinding(f *testing.F) {
	f.Add(newWire(88).point(0, anyV6).length(8, 20).point(16, someHash).data, false)
	f.Add(newWire(216).put(0, anyV4...).point(128, wide("shop.example")).length(136, 20).point(144, someHash).data, true)
	f.Add([]byte{}, false)
	f.Fuzz(func(t *testing.T, record []byte, host bool) {
		layout := addressRecord
		if host {
			layout = hostRecord
		}
		found, err := decodeBinding(record, recordBase, layout)
		if err == nil && found.thumbprint != "" && len(found.thumbprint) != 40 {
			t.Errorf("got %+v", found)
		}
	})
}
