package pkcs12

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/asn1"
	"math/big"
	"testing"

	gopkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
	"github.com/vaultpane/vaultpane/internal/bundle/tlv/tlvtest"
)

func TestIterationsAreCountedWhereverGoPKCS12FindsThem(t *testing.T) {
	key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader))
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	certificate := must(x509.ParseCertificate(must(x509.CreateCertificate(rand.Reader, template, template, key.Public(), key))))
	for name, test := range map[string]struct {
		encoder *gopkcs12.Encoder
		want    int
	}{
		"key, certificates and MAC":       {gopkcs12.Modern2023.WithIterations(1000), 3000},
		"key, certificates and PBMAC1":    {gopkcs12.Modern2026.WithIterations(1000), 3000},
		"key, certificates and MAC, 3DES": {gopkcs12.LegacyDES.WithIterations(1000), 3000},
		"nothing encrypted":               {gopkcs12.Passwordless, 0},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := Open(must(test.encoder.Encode(key, certificate, nil, "")))
			if err != nil {
				t.Fatal(err)
			}
			if e.iterations != test.want {
				t.Errorf("got %d, want %d", e.iterations, test.want)
			}
		})
	}
}

func TestNumbersThatAreNotIterationCounts(t *testing.T) {
	salt := wrap("\x04", []byte("salt"))
	deep := wrap(tlv.Sequence, salt, wrap("\x02", []byte{9}))
	for range maxDepth {
		deep = wrap(tlv.Sequence, deep)
	}
	for name, test := range map[string]struct {
		der  []byte
		want int
	}{
		"nothing":                   {nil, 0},
		"a number without salt":     {wrap("\x02", []byte{9}), 0},
		"a number after a salt":     {join(salt, wrap("\x02", []byte{1, 0})), 256},
		"only the first after it":   {join(salt, wrap("\x02", []byte{9}), wrap("\x02", []byte{32})), 9},
		"a negative number":         {join(salt, wrap("\x02", []byte{0xff})), 0},
		"an empty number":           {join(salt, wrap("\x02")), 0},
		"damage ends the reading":   {join(salt, wrap("\x02", []byte{9}), []byte{0x30, 9}), 9},
		"deeper than anything read": {deep, 0},
		"sums do not overflow":      {join(salt, wrap("\x02", []byte("\x7f\xff\xff\xff\xff\xff\xff\xff\xff")), salt, wrap("\x02", []byte{1})), MaxIterations + 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := iterationsIn(test.der); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// data returns a ContentInfo of the type data that holds a SEQUENCE of the parts.
func data(parts ...[]byte) []byte {
	return wrap(tlv.Sequence, must(asn1.Marshal(oidData)), wrap(tlv.Explicit0+"\x04"+tlv.Sequence, parts...))
}

// wrap returns the parts inside DER elements.
var wrap = tlvtest.Wrap
