package keys

import (
	"encoding/binary"
	"errors"
	"testing"
)

// Parts of security descriptors in the layout of Windows.
func descriptorOf(entries ...[]byte) []byte {
	descriptor := make([]byte, 20)
	descriptor[0] = 1
	binary.LittleEndian.PutUint16(descriptor[2:], 0x8004) // self-relative, with an access list
	binary.LittleEndian.PutUint32(descriptor[16:], 20)
	list := make([]byte, 8)
	list[0] = 2
	for _, entry := range entries {
		list = append(list, entry...)
	}
	binary.LittleEndian.PutUint16(list[2:], uint16(len(list)))
	binary.LittleEndian.PutUint16(list[4:], uint16(len(entries)))
	return append(descriptor, list...)
}

func aceOf(kind, flags byte, mask uint32, authority byte, parts ...uint32) []byte {
	ace := []byte{kind, flags, 0, 0}
	ace = binary.LittleEndian.AppendUint32(ace, mask)
	ace = append(ace, 1, byte(len(parts)), 0, 0, 0, 0, 0, authority)
	for _, part := range parts {
		ace = binary.LittleEndian.AppendUint32(ace, part)
	}
	binary.LittleEndian.PutUint16(ace[2:], uint16(len(ace)))
	return ace
}

func TestAccessOf(t *testing.T) {
	system := func(mask uint32) []byte { return aceOf(0, 0, mask, 5, 18) }
	unlimited := descriptorOf()
	binary.LittleEndian.PutUint32(unlimited[16:], 0)
	tests := []struct {
		name       string
		descriptor []byte
		want       string
	}{
		{"a list that Vaultpane wrote", descriptorOf(system(0x1f01ff), aceOf(0, 0, 0x1f01ff, 5, 32, 544), aceOf(0, 0, 0x120089, 5, 20)),
			"D:P(A;;FA;;;S-1-5-18)(A;;FA;;;S-1-5-32-544)(A;;FR;;;S-1-5-20)"},
		{"the same list of a key in CNG", descriptorOf(system(0xd01f01ff), aceOf(0, 0, 0x80120089, 5, 20)), "D:P(A;;FA;;;S-1-5-18)(A;;FR;;;S-1-5-20)"},
		{"generic rights", descriptorOf(system(0x10000000), aceOf(0, 0, 0x80000000, 5, 20)), "D:P(A;;FA;;;S-1-5-18)(A;;FR;;;S-1-5-20)"},
		{"another right", descriptorOf(system(0x20019)), "D:P(A;;0x20019;;;S-1-5-18)"},
		{"an account of an application pool", descriptorOf(aceOf(0, 0, 0x120089, 5, 82, 3006700770, 424185619, 1745488364, 794895919, 4004696415)),
			"D:P(A;;FR;;;S-1-5-82-3006700770-424185619-1745488364-794895919-4004696415)"},
		{"an inherited entry has another form", descriptorOf(aceOf(0, 0x10, 0x1f01ff, 5, 18)), "D:P(0;16;FA;;;S-1-5-18)"},
		{"so has an entry that denies access", descriptorOf(aceOf(1, 0, 0x1f01ff, 5, 18)), "D:P(1;0;FA;;;S-1-5-18)"},
		{"an empty list", descriptorOf(), "D:P"},
		{"no access control", unlimited, "D:NO_ACCESS_CONTROL"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := AccessOf(test.descriptor)
			if err != nil || got != test.want {
				t.Errorf("got  %s, %v\nwant %s", got, err, test.want)
			}
		})
	}
}

func TestADamagedDescriptorIsAnError(t *testing.T) {
	whole := descriptorOf(aceOf(0, 0, 0x1f01ff, 5, 32, 544))
	for length := range whole {
		if _, err := AccessOf(whole[:length]); !errors.Is(err, errDescriptor) {
			t.Errorf("the first %d bytes: got %v", length, err)
		}
	}
	long := append([]byte(nil), whole...)
	binary.LittleEndian.PutUint16(long[30:], 0xffff) // the entry's size
	if _, err := AccessOf(long); !errors.Is(err, errDescriptor) {
		t.Errorf("an entry that is longer than its list: got %v", err)
	}
	short := append([]byte(nil), whole...)
	binary.LittleEndian.PutUint16(short[30:], 4)
	if _, err := AccessOf(short); !errors.Is(err, errDescriptor) {
		t.Errorf("an entry that is shorter than its header: got %v", err)
	}
}
