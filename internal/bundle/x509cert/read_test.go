package x509cert

import "testing"

func TestASerialNumberOfAnyLengthAndSignIsRead(t *testing.T) {
	for content, want := range map[string]int64{"": 0, "\x00": 0, "\x7f": 127, "\x80": -128, "\xff": -1, "\xff\x7f": -129, "\x00\x00\x80": 128} {
		if got := serialOf([]byte(content)); got.Int64() != want {
			t.Errorf("% x is read as %s, want %d", content, got, want)
		}
	}
}
