package bundle

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // the MAC of a PFX without secret
	_ "embed"
)

// Identifier octets and object identifiers in DER (X.690, sections 8.1.2 and 8.19).
const (
	tagInteger     = "\x02"
	tagOctetString = "\x04"
	tagSequence    = "\x30"
	tagExplicit0   = "\xa0"

	derNull            = "\x05\x00"
	derData            = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
	derKeyBag          = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01"
	derCertBag         = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x03"
	derX509Certificate = "\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01"
	derSHA1            = "\x06\x05\x2b\x0e\x03\x02\x1a"
	derECPublicKey     = "\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"
	derP256            = "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
)

// A carrier is a PFX of ours that brings some parts of another PFX to go-pkcs12. It is needed because go-pkcs12 reads every
// part that matters here, but each of its functions refuses some whole: DecodeChain a PFX without key, with several or
// with more than two safes; DecodeTrustStore one whose certificates are not marked as Java's trust anchors; ToPEM one with
// more or fewer than two safes, with a plain key or with an attribute that it does not know. So a carrier has at most two
// safes, and the first begins with a certificate and, if need be, a key that are there only to content DecodeChain.
//
// A carrier's key in front also makes DecodeChain refuse a second key before it reads it. That matters for keys that hide
// in an encrypted safe, whose iteration counts nobody can see before.
type carrier struct {
	bags   [][]byte // of the first safe, without those that are there to content DecodeChain
	hasKey bool     // whether bags has a key
	noKey  bool     // leaves out the key that would content DecodeChain, which ToPEM refuses
	sealed []byte   // the second safe, or nil
}

// password is one of the two things that makers of PFX mean by a blank password. Only the key derivation of RFC 7292,
// appendix B.2, tells them apart.
type password int

const (
	empty  password = iota // an empty string with its terminator: two zero bytes
	absent                 // NULL: no bytes
)

// pfx returns the carrier as DER, which the caller overwrites. go-pkcs12 reads a PFX without MAC with the empty password, and
// turns to the absent one only where a MAC says so; hence the carrier's MAC.
func (c carrier) pfx(p password) []byte {
	bags := [][]byte{fillerCertificate()}
	if !c.hasKey && !c.noKey {
		bags = append(bags, fillerKey())
	}
	open := dataInfo(tagOctetString+tagSequence, append(bags, c.bags...)...)
	defer clear(open)
	safes := wrap(tagSequence, open, c.sealed)
	defer clear(safes)
	content := dataInfo(tagOctetString, safes)
	defer clear(content)
	version := wrap(tagInteger, []byte{3})
	if p == empty {
		return wrap(tagSequence, version, content)
	}
	return wrap(tagSequence, version, content, macWithoutPassword(safes))
}

// dataInfo returns a ContentInfo of the type data (RFC 5652, section 3), and leaves no copy behind.
func dataInfo(tags string, parts ...[]byte) []byte {
	content := wrap(tagExplicit0+tags, parts...)
	defer clear(content)
	return wrap(tagSequence, []byte(derData), content)
}

// macWithoutPassword returns MacData (RFC 7292, section 4) with SHA-1, no salt and one iteration, for which the key
// derivation of appendix B.2 shrinks to the hash of 64 times the octet that stands for MAC keys.
func macWithoutPassword(safes []byte) []byte {
	key := sha1.Sum(bytes.Repeat([]byte{3}, 64)) //nolint:gosec // as above
	mac := hmac.New(sha1.New, key[:])
	mac.Write(safes)
	algorithm := wrap(tagSequence, []byte(derSHA1), []byte(derNull))
	digest := wrap(tagSequence, algorithm, wrap(tagOctetString, mac.Sum(nil)))
	return wrap(tagSequence, digest, wrap(tagOctetString))
}

// filler.der is a self-signed certificate: openssl req -x509 -newkey ec:<(openssl ecparam -name prime256v1) -noenc
// -subj "/CN=filler of a carrier" -days 1 -outform DER. Its key was not kept.
//
//go:embed filler.der
var filler []byte

func fillerCertificate() []byte {
	certificate := wrap(tagSequence, []byte(derX509Certificate), wrap(tagExplicit0+tagOctetString, filler))
	return wrap(tagSequence, []byte(derCertBag), wrap(tagExplicit0, certificate))
}

// fillerKey is the number 1 on P-256 as PKCS#8 (RFC 5958) around SEC1 (RFC 5915): a key that nobody takes for a secret.
func fillerKey() []byte {
	one := append(make([]byte, 31), 1)
	sec1 := wrap(tagSequence, wrap(tagInteger, []byte{1}), wrap(tagOctetString, one))
	algorithm := wrap(tagSequence, []byte(derECPublicKey), []byte(derP256))
	pkcs8 := wrap(tagSequence, wrap(tagInteger, []byte{0}), algorithm, wrap(tagOctetString, sec1))
	return wrap(tagSequence, []byte(derKeyBag), wrap(tagExplicit0, pkcs8))
}
