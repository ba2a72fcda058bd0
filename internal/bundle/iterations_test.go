package bundle

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/asn1"
	"math"
	"testing"
	"time"

	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

const (
	derPBES2     = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"
	derPBKDF2    = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c"
	derAES256CBC = "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a"
	derEncrypted = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06"
	derShrouded  = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02"
)

func TestIterationsAreCountedWhereverGoPKCS12FindsThem(t *testing.T) {
	f := newFamily(t, newEC())
	for name, test := range map[string]struct {
		encoder *pkcs12.Encoder
		want    int
	}{
		"key, certificates and MAC":       {pkcs12.Modern2023.WithIterations(1000), 3000},
		"key, certificates and PBMAC1":    {pkcs12.Modern2026.WithIterations(1000), 3000},
		"key, certificates and MAC, 3DES": {pkcs12.LegacyDES.WithIterations(1000), 3000},
		"nothing encrypted":               {pkcs12.Passwordless, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var e envelope
			if err := e.open(must(test.encoder.Encode(f.leaf.key, f.leaf.cert, nil, ""))); err != nil {
				t.Fatal(err)
			}
			if e.iterations != test.want {
				t.Errorf("got %d, want %d", e.iterations, test.want)
			}
		})
	}
}

func TestGiantIterationCountsCostNothing(t *testing.T) {
	f := newFamily(t, newEC())
	cert := plainSafe(certBag(f.leaf))
	shrouded := func(count int) []byte {
		info := wrap(tagSequence, pbes2(count), wrap(tagOctetString, make([]byte, 16)))
		return wrap(tagSequence, []byte(derShrouded), wrap(tagExplicit0, info))
	}
	digest := wrap(tagSequence, wrap(tagSequence, []byte(derSHA1)), wrap(tagOctetString, make([]byte, 20)))
	withMAC := wrap(tagSequence, wrap(tagInteger, []byte{3}), dataInfo(tagOctetString+tagSequence, cert),
		wrap(tagSequence, digest, wrap(tagOctetString), wrap(tagInteger, []byte("\x7f\xff\xff\xff\xff\xff\xff\xff"))))
	half := sealedSafe(maxIterations/2+1, nil)
	for name, test := range map[string]struct {
		der     []byte
		message string
	}{
		"in the MAC":                    {withMAC, "iteration counts"},
		"in a safe":                     {pfxOf(cert, sealedSafe(math.MaxInt64, nil)), "iteration counts"},
		"in a key":                      {pfxOf(cert, plainSafe(shrouded(math.MaxInt64))), "iteration counts"},
		"in two halves":                 {pfxOf(cert, half, half), "iteration counts"},
		"in a key in an encrypted safe": {pfxOf(cert, sealedSafe(1, wrap(tagSequence, shrouded(math.MaxInt64)))), "iteration counts"},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := Parse(ContentTypePFX, text(test.der), moment)
			wantError(t, err, MalformedSecret, test.message)
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func TestCountsThatAreNone(t *testing.T) {
	salt := wrap(tagOctetString, []byte("salt"))
	deep := wrap(tagSequence, salt, wrap(tagInteger, []byte{9}))
	for range maxDepth {
		deep = wrap(tagSequence, deep)
	}
	for name, test := range map[string]struct {
		der  []byte
		want int
	}{
		"nothing":                   {nil, 0},
		"a number without salt":     {wrap(tagInteger, []byte{9}), 0},
		"a number behind a salt":    {join(salt, wrap(tagInteger, []byte{1, 0})), 256},
		"only the first behind it":  {join(salt, wrap(tagInteger, []byte{9}), wrap(tagInteger, []byte{32})), 9},
		"a negative number":         {join(salt, wrap(tagInteger, []byte{0xff})), 0},
		"an empty number":           {join(salt, wrap(tagInteger)), 0},
		"damage ends the reading":   {join(salt, wrap(tagInteger, []byte{9}), []byte{0x30, 9}), 9},
		"deeper than anything read": {deep, 0},
		"sums do not overflow":      {join(salt, wrap(tagInteger, []byte("\x7f\xff\xff\xff\xff\xff\xff\xff\xff")), salt, wrap(tagInteger, []byte{1})), maxIterations + 1},
	} {
		t.Run(name, func(t *testing.T) {
			if got := iterationsIn(test.der); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

// pbes2 returns an AlgorithmIdentifier with PBKDF2 and AES-256 (RFC 8018, appendix A).
func pbes2(iterations int) []byte {
	derivation := wrap(tagSequence, []byte(derPBKDF2), wrap(tagSequence, wrap(tagOctetString, []byte("salt")), must(asn1.Marshal(iterations))))
	encryption := wrap(tagSequence, []byte(derAES256CBC), wrap(tagOctetString, make([]byte, 16)))
	return wrap(tagSequence, []byte(derPBES2), wrap(tagSequence, derivation, encryption))
}

// seal encrypts with the blank password and the parameters of pbes2(1).
func seal(plain []byte) []byte {
	key := must(pbkdf2.Key(sha1.New, "", []byte("salt"), 1, 32))
	padding := 16 - len(plain)%16
	padded := append(bytes.Clone(plain), bytes.Repeat([]byte{byte(padding)}, padding)...)
	cipher.NewCBCEncrypter(must(aes.NewCipher(key)), make([]byte, 16)).CryptBlocks(padded, padded)
	return padded
}

// sealedSafe encrypts bags with the blank password, and claims this count of iterations.
func sealedSafe(iterations int, bags []byte) []byte {
	info := wrap(tagSequence, []byte(derData), pbes2(iterations), wrap("\x80", seal(bags)))
	data := wrap(tagSequence, wrap(tagInteger, []byte{0}), info)
	return wrap(tagSequence, []byte(derEncrypted), wrap(tagExplicit0, data))
}

// hiddenKey is a PFX whose key lies in an encrypted safe, as RFC 7292 allows and no known program does.
func hiddenKey(t testing.TB, p *pair) []byte {
	t.Helper()
	return pfxOf(plainSafe(certBag(p)), sealedSafe(1, wrap(tagSequence, keyBag(p.key))))
}
