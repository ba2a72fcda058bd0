package pkcs12

import (
	"bytes"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // PFX files use it
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"hash"

	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

// password is one of the two encodings of a blank password. They differ only in the key derivation of RFC 7292, appendix B.2.
type password int

const (
	empty  password = iota // an empty string with its terminator: two zero bytes
	absent                 // NULL: no bytes
)

var passwords = []password{empty, absent}

func (p password) octets() []byte {
	if p == absent {
		return nil
	}
	return []byte{0, 0}
}

// notSupported names an algorithm that is not implemented, by its role and object identifier.
type notSupported string

func (e notSupported) Error() string { return string(e) }

// Purposes of derived bytes (RFC 7292, appendix B.3).
const (
	forKey = 1
	forIV  = 2
	forMAC = 3
)

// derive derives bytes from a password (RFC 7292, appendix B.2).
func derive(h func() hash.Hash, purpose byte, p password, salt []byte, iterations, size int) []byte {
	v := h().BlockSize()
	input := append(repeated(salt, v), repeated(p.octets(), v)...)
	diversifier := bytes.Repeat([]byte{purpose}, v)
	var out []byte
	for len(out) < size {
		sum := hashOf(h, diversifier, input)
		for range iterations - 1 {
			sum = hashOf(h, sum)
		}
		out = append(out, sum...)
		b := repeated(sum, v)[:v]
		for at := 0; at < len(input); at += v {
			addPlusOne(input[at:at+v], b)
		}
	}
	return out[:size]
}

func hashOf(h func() hash.Hash, parts ...[]byte) []byte {
	state := h()
	for _, part := range parts {
		state.Write(part)
	}
	return state.Sum(nil)
}

// repeated repeats a pattern until it fills whole blocks of v bytes; an empty one stays empty.
func repeated(pattern []byte, v int) []byte {
	size := (len(pattern) + v - 1) / v * v
	var out []byte
	for len(out) < size {
		out = append(out, pattern...)
	}
	return out[:size]
}

// addPlusOne adds b and 1 to a, both numbers in big-endian order, without a carry beyond the first byte.
func addPlusOne(a, b []byte) {
	carry := 1
	for i := len(a) - 1; i >= 0; i-- {
		carry += int(a[i]) + int(b[i])
		a[i] = byte(carry & 0xff)
		carry >>= 8
	}
}

var (
	oidPBKDF2    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 12}
	oidPBMAC1    = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 5, 14}
	digestHashes = map[string]func() hash.Hash{
		"1.3.14.3.2.26": sha1.New, "2.16.840.1.101.3.4.2.4": sha256.New224, "2.16.840.1.101.3.4.2.1": sha256.New,
		"2.16.840.1.101.3.4.2.2": sha512.New384, "2.16.840.1.101.3.4.2.3": sha512.New,
	}
	hmacHashes = map[string]func() hash.Hash{
		"1.2.840.113549.2.7": sha1.New, "1.2.840.113549.2.8": sha256.New224, "1.2.840.113549.2.9": sha256.New,
		"1.2.840.113549.2.10": sha512.New384, "1.2.840.113549.2.11": sha512.New,
	}
)

// pbkdf2Params is RFC 8018, appendix A.2.
type pbkdf2Params struct {
	Salt       []byte
	Iterations int
	KeyLength  int                      `asn1:"optional"`
	PRF        pkix.AlgorithmIdentifier `asn1:"optional"`
}

// derivePBKDF2 derives a key from the blank password, which has no bytes here (RFC 8018, section 5.2). A size of 0 means the
// size in the parameters.
func derivePBKDF2(algorithm pkix.AlgorithmIdentifier, size int) ([]byte, error) {
	if !algorithm.Algorithm.Equal(oidPBKDF2) {
		return nil, notSupported("key derivation " + algorithm.Algorithm.String())
	}
	var params pbkdf2Params
	if !tlv.Decode(algorithm.Parameters.FullBytes, &params) {
		return nil, errDecryption
	}
	h := sha1.New
	if id := params.PRF.Algorithm; id != nil {
		if h = hmacHashes[id.String()]; h == nil {
			return nil, notSupported("pseudo-random function " + id.String())
		}
	}
	if size == 0 {
		size = params.KeyLength
	}
	if size < 1 || size > sha512.Size {
		return nil, errDecryption
	}
	return pbkdf2.Key(h, "", params.Salt, params.Iterations, size)
}
