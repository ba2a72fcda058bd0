package main

import (
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// Windows itself says what the bytes mean.
func TestDescriptorsInWindowsWords(t *testing.T) {
	tests := []struct {
		name  string
		bytes []byte
		want  string
	}{
		{"a file", fileDescriptor(0), "O:BAG:BAD:P(A;;FA;;;SY)(A;;FA;;;BA)(A;;FRFX;;;BU)"},
		{"a folder", fileDescriptor(inherited), "O:BAG:BAD:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FRFX;;;BU)"},
		{"a key", keyDescriptor(), "O:BAG:BAD:P(A;OICI;KA;;;SY)(A;OICI;KA;;;BA)(A;OICI;KR;;;BU)"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			want, err := windows.SecurityDescriptorFromString(test.want)
			if err != nil {
				t.Fatal(err)
			}
			got := (*windows.SECURITY_DESCRIPTOR)(unsafe.Pointer(&test.bytes[0]))
			if !got.IsValid() || got.Length() != uint32(len(test.bytes)) || got.String() != want.String() {
				t.Errorf("got %s (valid: %v, %d of %d bytes), want %s", got, got.IsValid(), got.Length(), len(test.bytes), want)
			}
		})
	}
}
