package bundle

import (
	"bytes"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha1" //nolint:gosec // what the makers of PFX use
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509/pkix"
	"encoding/asn1"
	"hash"
)

// password is one of the two things that makers of PFX mean by a blank password. Only the key derivation of RFC 7292,
// appendix B.2, tells them apart.
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

// notSupported names an algorithm that this package does not have, by its role and object identifier.
type notSupported string

func (e notSupported) Error() string { return string(e) }

// Purposes of derived bytes (RFC 7292, appendix B.3).
const (
	forKey = 1
	forIV  = 2
	forMAC = 3
)

// derive makes bytes from a password as RFC 7292, appendix B.2, has it.
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

// addPlusOne adds b and 1 to a, both numbers in big-endian order, without the carry beyond the first byte.
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

// derivePBKDF2 makes a key from the blank password, which is no byte at all here (RFC 8018, section 5.2). A size of 0 means
// the one that the parameters ask for.
func derivePBKDF2(algorithm pkix.AlgorithmIdentifier, size int) ([]byte, error) {
	if !algorithm.Algorithm.Equal(oidPBKDF2) {
		return nil, notSupported("key derivation " + algorithm.Algorithm.String())
	}
	var params pbkdf2Params
	if !decode(algorithm.Parameters.FullBytes, &params) {
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

// macData is MacData of RFC 7292, section 4.
type macData struct {
	MAC struct {
		Algorithm pkix.AlgorithmIdentifier
		Digest    []byte
	}
	Salt       []byte
	Iterations int `asn1:"optional,default:1"`
}

// blankPassword tells whether a PFX's MAC was made with a blank password. It is the only thing in a PFX that tells a password
// from damage. One that is missing, or of an algorithm that is not known here, denies nothing.
func blankPassword(mac asn1.RawValue, content []byte) bool {
	var data macData
	if len(mac.FullBytes) == 0 || !decode(mac.FullBytes, &data) {
		return true
	}
	if data.MAC.Algorithm.Algorithm.Equal(oidPBMAC1) {
		sum, err := pbmac1(data.MAC.Algorithm.Parameters.FullBytes, content)
		return err != nil || hmac.Equal(sum, data.MAC.Digest)
	}
	h := digestHashes[data.MAC.Algorithm.Algorithm.String()]
	if h == nil {
		return true
	}
	for _, p := range passwords {
		key := derive(h, forMAC, p, data.Salt, data.Iterations, h().Size())
		if hmac.Equal(hmacOf(h, key, content), data.MAC.Digest) {
			return true
		}
	}
	return false
}

// pbmac1 computes the MAC of RFC 9579, which has its parameters in the algorithm.
func pbmac1(parameters, content []byte) ([]byte, error) {
	var params struct{ KDF, MAC pkix.AlgorithmIdentifier }
	if !decode(parameters, &params) {
		return nil, errDecryption
	}
	h := hmacHashes[params.MAC.Algorithm.String()]
	if h == nil {
		return nil, notSupported("MAC " + params.MAC.Algorithm.String())
	}
	key, err := derivePBKDF2(params.KDF, 0)
	if err != nil {
		return nil, err
	}
	return hmacOf(h, key, content), nil
}

func hmacOf(h func() hash.Hash, key, content []byte) []byte {
	mac := hmac.New(h, key)
	mac.Write(content)
	return mac.Sum(nil)
}
