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

	"github.com/vaultpane/vaultpane/internal/bundle/pkcs12"
)

const (
	derPBES2     = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0d"
	derPBKDF2    = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c"
	derAES256CBC = "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x01\x2a"
	derEncrypted = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x06"
	derShrouded  = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x02"
)

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
	half := sealedSafe(pkcs12.MaxIterations/2+1, nil)
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

// hiddenKey returns a PFX whose key is in an encrypted safe, as RFC 7292 allows and no known program does.
func hiddenKey(t testing.TB, p *pair) []byte {
	t.Helper()
	return pfxOf(plainSafe(certBag(p)), sealedSafe(1, wrap(tagSequence, keyBag(p.key))))
}
