package pkcs12

import (
	"encoding/hex"
	"testing"
)

// The values are those of RFC 2268, section 5, for keys without a reduced effective length.
func TestRC2DecryptsTheTestVectorsOfItsRFC(t *testing.T) {
	for key, pair := range map[string][2]string{
		"ffffffffffffffff":                 {"ffffffffffffffff", "278b27e42e2f0d49"},
		"3000000000000000":                 {"1000000000000001", "30649edf9be7d2c2"},
		"88bca90e90875a7f0f79c384627bafb2": {"0000000000000000", "2269552ab0f85ca6"},
	} {
		block := must(newRC2(must(hex.DecodeString(key))))
		plain := make([]byte, 8)
		block.Decrypt(plain, must(hex.DecodeString(pair[1])))
		if got := hex.EncodeToString(plain); got != pair[0] {
			t.Errorf("with key %s got %s, want %s", key, got, pair[0])
		}
	}
	if _, err := newRC2(nil); err == nil {
		t.Error("an empty key was accepted")
	}
}
