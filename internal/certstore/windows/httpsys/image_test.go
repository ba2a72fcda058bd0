package httpsys

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	otherBase = 0x2_0000_4000
	otherName = "CDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCDCD"
)

var otherHash = bytes.Repeat([]byte{0xCD}, 20)

// fields are those of a record, with what its pointers point to.
type fields struct {
	Name, Thumbprint, Store, CtlID, CtlStore string
	AppID, Settings, Flags                   []byte
}

// fieldsOf reads a record that was written to an address, with none of the code under test but the offsets.
func fieldsOf(t *testing.T, record []byte, base uint64, layout recordLayout) fields {
	t.Helper()
	at := func(offset int) []byte {
		address := binary.LittleEndian.Uint64(record[offset:])
		if address == 0 {
			return []byte{0, 0}
		}
		if address < base || address >= base+uint64(len(record)) {
			t.Fatalf("the pointer at %d points outside of the record", offset)
		}
		return record[address-base:]
	}
	found, err := decodeBinding(record, base, layout)
	if err != nil {
		t.Fatal(err)
	}
	p := layout.param
	return fields{
		Name: found.name, Thumbprint: found.thumbprint, Store: wideText(at(p + 32)), CtlID: wideText(at(p + 56)), CtlStore: wideText(at(p + 64)),
		AppID: slices.Clone(record[p+16 : p+32]), Settings: slices.Clone(record[p+40 : p+52]), Flags: slices.Clone(record[p+72 : p+76]),
	}
}

// full is a record in which every field is set.
func full(layout recordLayout, key func(*wire) *wire, store string) []byte {
	p := layout.param
	w := key(newWire(layout.size())).length(p, 20).point(p+8, someHash)
	for i := p + 16; i < p+32; i++ { // the application
		w.put(i, byte(i))
	}
	w.put(p+40, 1, 0, 1, 0, 60, 0, 0, 0, 0x10, 0x27, 0, 0) // check mode, freshness, timeout
	w.point(p+56, wide("trusted")).point(p+64, wide("CTLs")).put(p+72, 7, 0, 0, 0x80)
	if store != "" {
		w.point(p+32, wide(store))
	}
	return w.data
}

func byAddress(w *wire) *wire { return w.point(0, oneV4) }

func byHost(w *wire) *wire { return w.put(0, anyV4...).point(128, wide("shop.example")) }

func TestASwitchChangesTheCertificateAndNothingElse(t *testing.T) {
	for name, test := range map[string]struct {
		layout      recordLayout
		key         func(*wire) *wire
		was, wanted string
		want        string
	}{
		"an address":                           {addressRecord, byAddress, "MY", "MY", "MY"},
		"a host":                               {hostRecord, byHost, "MY", "MY", "MY"},
		"another store":                        {addressRecord, byAddress, "MY", "WebHosting", "WebHosting"},
		"a store where it had none":            {hostRecord, byHost, "", "WebHosting", "WebHosting"},
		"no store stays none, which is MY":     {addressRecord, byAddress, "", "MY", ""},
		"the store's spelling stays":           {addressRecord, byAddress, "My", "MY", "My"},
		"a longer name than the one it had is": {addressRecord, byAddress, "A", strings.Repeat("b", 64), strings.Repeat("b", 64)},
	} {
		t.Run(name, func(t *testing.T) {
			record := full(test.layout, test.key, test.was)
			want := fieldsOf(t, record, recordBase, test.layout)
			before := slices.Clone(record)
			i, err := recordImage(record, recordBase, test.layout)
			if err != nil {
				t.Fatal(err)
			}
			i.change(test.layout, otherHash, test.wanted)
			i.at(otherBase)
			want.Thumbprint, want.Store = otherName, test.want
			if diff := cmp.Diff(want, fieldsOf(t, i.data, otherBase, test.layout)); diff != "" {
				t.Error(diff)
			}
			if !bytes.Equal(before, record) {
				t.Error("the record that was read has changed")
			}
		})
	}
}

func TestTheBindingOfARecord(t *testing.T) {
	for name, test := range map[string]struct {
		record []byte
		want   Binding
	}{
		"with a store":    {full(addressRecord, byAddress, "WebHosting"), Binding{someName, "WebHosting"}},
		"without a store": {full(addressRecord, byAddress, ""), Binding{someName, "MY"}},
	} {
		i, err := recordImage(test.record, recordBase, addressRecord)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := i.binding(addressRecord); err != nil || got != test.want {
			t.Errorf("%s: got %+v (%v), want %+v", name, got, err, test.want)
		}
	}
}

// Its certificate is unknown, so it might be somebody else's.
func TestABindingWithoutASHA1HashIsAnError(t *testing.T) {
	for length, hash := range map[uint32][]byte{0: nil, 32: make([]byte, 32)} {
		w := byAddress(newWire(88)).length(8, length)
		if hash != nil {
			w.point(16, hash)
		}
		i, err := recordImage(w.data, recordBase, addressRecord)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := i.binding(addressRecord); err == nil {
			t.Errorf("%d bytes: got %+v", length, got)
		}
	}
}

func TestANewRecord(t *testing.T) {
	application := []byte{0xa5, 0xd1, 0xf5, 0xc1, 0x0b, 0x3d, 0x52, 0x4a, 0x9a, 0x8e, 0x7b, 0x6a, 0x9f, 0x0e, 0x2d, 0x41}
	for name, test := range map[string]struct {
		key  Key
		want string
	}{
		"every IPv4 address": {Key{Name: "0.0.0.0:443"}, "0.0.0.0:443"},
		"an IPv6 address":    {Key{Name: "[2001:db8::1]:8443"}, "[2001:db8::1]:8443"},
		"every IPv6 address": {Key{Name: "[::]:443"}, "[::]:443"},
		"a host":             {Key{Name: "shop.example.com:443", ByHost: true}, "shop.example.com:443"},
		"all hosts below":    {Key{Name: "*.example.com:65535", ByHost: true}, "*.example.com:65535"},
	} {
		t.Run(name, func(t *testing.T) {
			i, err := newRecord(test.key, "{c1f5d1a5-3d0b-4a52-9a8e-7b6a9f0e2d41}", otherHash, "MY")
			if err != nil {
				t.Fatal(err)
			}
			i.at(otherBase)
			want := fields{Name: test.want, Thumbprint: otherName, Store: "MY", AppID: application, Settings: make([]byte, 12), Flags: make([]byte, 4)}
			if diff := cmp.Diff(want, fieldsOf(t, i.data, otherBase, test.key.layout())); diff != "" {
				t.Error(diff)
			}
		})
	}
	for _, application := range []string{"", "c1f5d1a5-3d0b-4a52-9a8e-7b6a9f0e2d41", "{c1f5d1a5-3d0b-4a52-9a8e-7b6a9f0e2d4}", "{g1f5d1a5-3d0b-4a52-9a8e-7b6a9f0e2d41}"} {
		if _, err := newRecord(Key{Name: "0.0.0.0:443"}, application, otherHash, "MY"); err == nil {
			t.Errorf("the application %q is accepted", application)
		}
	}
}

// The query for a binding begins with its kind, 0, and has the key after it, and the token.
func TestAQuery(t *testing.T) {
	address, err := newQuery(Key{Name: "10.1.2.3:8443"})
	if err != nil {
		t.Fatal(err)
	}
	want := append([]byte{0, 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, oneV4...)
	if diff := cmp.Diff(want, address.data); diff != "" || querySize(Key{}) != 24 {
		t.Error(diff)
	}
	host, err := newQuery(Key{Name: "shop.example:443", ByHost: true})
	if err != nil {
		t.Fatal(err)
	}
	if got := bindingName(host.data[8:], wideText(host.target(8+128))); got != "shop.example:443" || querySize(Key{ByHost: true}) != 152 {
		t.Errorf("got %s", got)
	}
}

func TestKeysThatAreNone(t *testing.T) {
	for _, key := range []Key{
		{Name: ""},
		{Name: "0.0.0.0"},
		{Name: "0.0.0.0:0"},
		{Name: "0.0.0.0:65536"},
		{Name: "256.0.0.0:443"},
		{Name: "shop.example:443"},
		{Name: "[fe80::1%3]:443"},
		{Name: "*:443"},
		{Name: "", ByHost: true},
		{Name: ":443", ByHost: true},
		{Name: "shop.example", ByHost: true},
		{Name: "shop.example:0", ByHost: true},
		{Name: "shop.example:443:443", ByHost: true},
		{Name: "shop.example\x00:443", ByHost: true},
		{Name: `shop\example:443`, ByHost: true},
		{Name: "*:443", ByHost: true},
		{Name: strings.Repeat("a", 254) + ":443", ByHost: true},
	} {
		if query, err := newQuery(key); err == nil {
			t.Errorf("%+v: got %x", key, query.data)
		}
	}
}

func TestRecordsThatAreInvalid(t *testing.T) {
	for name, record := range map[string][]byte{
		"nothing":                nil,
		"half a record":          make([]byte, 87),
		"no hash":                byAddress(newWire(88)).length(8, 20).data,
		"a hash that ends early": byAddress(newWire(88)).length(8, 20).point(16, someHash[1:]).data,
		"a store outside of it":  byAddress(newWire(88)).put(40, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF).data,
		"an address in itself":   newWire(88).put(0, 0x08, 0x20, 0, 0, 1).data,
		"a store before it":      byAddress(newWire(88)).put(40, 1).data,
	} {
		if _, err := recordImage(record, recordBase, addressRecord); !errors.Is(err, errBadRecord) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := recordImage(full(addressRecord, byAddress, "MY"), otherBase, addressRecord); !errors.Is(err, errBadRecord) {
		t.Errorf("at another address: got %v", err)
	}
}

// Whatever the system returns: a record that is accepted can be changed, and is a record with the new certificate then.
func FuzzChangeRecord(f *testing.F) {
	f.Add(full(addressRecord, byAddress, "MY"), false, "WebHosting")
	f.Add(full(hostRecord, byHost, ""), true, "MY")
	f.Add([]byte{}, false, "")
	f.Fuzz(func(t *testing.T, record []byte, host bool, store string) {
		layout := addressRecord
		if host {
			layout = hostRecord
		}
		i, err := recordImage(record, recordBase, layout)
		if err != nil {
			return
		}
		_, _ = i.binding(layout) // must not panic
		i.change(layout, otherHash, store)
		i.at(otherBase)
		if found, err := decodeBinding(i.data, otherBase, layout); err == nil && found.thumbprint != otherName {
			t.Errorf("got %+v", found)
		}
		if diff := cmp.Diff(kept(record, recordBase, layout), kept(i.data[:len(record)], otherBase, layout)); diff != "" {
			t.Error(diff)
		}
	})
}

// kept is a record without what a switch may change, and with offsets in place of pointers.
func kept(record []byte, base uint64, layout recordLayout) []byte {
	rest := slices.Clone(record)
	p := layout.param
	clear(rest[p : p+16])    // length and hash
	clear(rest[p+32 : p+40]) // store
	for _, offset := range []int{layout.host, p + 56, p + 64} {
		if address := binary.LittleEndian.Uint64(rest[offset:]); address != 0 && (offset != 0 || layout.host == 0) {
			binary.LittleEndian.PutUint64(rest[offset:], address-base)
		}
	}
	return rest
}
