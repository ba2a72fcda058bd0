package main

import (
	"bytes"
	"encoding/binary"
	"testing"

	"www.velocidex.com/golang/regparser"
)

// A reader of the format from another project must find the root key, and nothing under it.
func TestTheEmptyHiveIsOne(t *testing.T) {
	content := emptyHive()
	if len(content) != 8192 {
		t.Errorf("got %d bytes, want a base block and a bin of 4096", len(content))
	}
	registry, err := regparser.NewRegistry(bytes.NewReader(content))
	if err != nil {
		t.Fatal(err)
	}
	root := registry.OpenKey("")
	if root == nil {
		t.Fatal("there is no root key")
	}
	if root.Name() != "ROOT" || len(root.Subkeys()) != 0 || len(root.Values()) != 0 {
		t.Errorf("got a root key %q with %d subkeys and %d values", root.Name(), len(root.Subkeys()), len(root.Values()))
	}
	bins := registry.BaseBlock.HiveBin()
	if bins.Signature() != 0x6e696268 || bins.HbinSize() != 4096 {
		t.Errorf("got a bin %#x of %d bytes", bins.Signature(), bins.HbinSize())
	}
}

// The cells must fill the bin to its last byte, one after the other.
func TestTheCellsFillTheBin(t *testing.T) {
	content := emptyHive()
	var sizes []int32
	end := block + binHeader
	for end < len(content) {
		size := int32(binary.LittleEndian.Uint32(content[end:]))
		if size == 0 || size%8 != 0 {
			t.Fatalf("a cell at %d has %d bytes", end, size)
		}
		sizes = append(sizes, size)
		end += int(max(size, -size))
	}
	if end != len(content) || len(sizes) != 3 || sizes[0] > 0 || sizes[1] > 0 || sizes[2] < 0 {
		t.Errorf("got cells %v up to %d, want key and access list in use (negative), the rest free, up to %d", sizes, end, len(content))
	}
}

func TestChecksum(t *testing.T) {
	tests := []struct {
		name string
		data []byte
		want uint32
	}{
		{"the exclusive or of words", []byte{1, 0, 0, 0, 0, 0, 0, 0x80}, 0x80000001},
		{"never zero", make([]byte, 8), 1},
		{"never all ones", []byte{0xff, 0xff, 0xff, 0xff}, 0xfffffffe},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := checksum(test.data); got != test.want {
				t.Errorf("got %#x, want %#x", got, test.want)
			}
		})
	}
}
