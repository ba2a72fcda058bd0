package pkcs12

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"testing"

	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

func TestBuffersOfAPlainKeyAreOverwritten(t *testing.T) {
	key := must(x509.MarshalPKCS8PrivateKey(must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))))
	bag := wrap(tlv.Sequence, must(asn1.Marshal(oidKeyBag)), wrap(tlv.Explicit0, key))
	e, err := Open(wrap(tlv.Sequence, wrap("\x02", []byte{3}), data(data(bag))))
	if err != nil {
		t.Fatal(err)
	}
	e.Wipe()
	for _, bag := range e.safes[0].bags {
		if len(bytes.Trim(bag.Value.Bytes, "\x00")) != 0 {
			t.Error("a bag was not overwritten")
		}
	}
}
