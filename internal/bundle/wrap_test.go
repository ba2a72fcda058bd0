package bundle

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/asn1"

	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
	"github.com/vaultpane/vaultpane/internal/bundle/tlv/tlvtest"
)

// More object identifiers in DER.
const (
	derNull            = "\x05\x00"
	derData            = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
	derKeyBag          = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x01"
	derCertBag         = "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x03"
	derX509Certificate = "\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x09\x16\x01"
	derSHA1            = "\x06\x05\x2b\x0e\x03\x02\x1a"
	derP256            = "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
	tagInteger         = "\x02"
	tagOctetString     = "\x04"
	tagSequence        = tlv.Sequence
	tagExplicit0       = tlv.Explicit0
	derSignedData      = tlv.SignedData
)

// The attributes of a PFX that are read.
var (
	oidFriendlyName = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20}
	oidProvider     = asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 311, 17, 1}
)

// dataInfo returns a ContentInfo of the type data (RFC 5652, section 3).
func dataInfo(tags string, parts ...[]byte) []byte {
	return wrap(tagSequence, []byte(derData), wrap(tagExplicit0+tags, parts...))
}

// pfxWithAbsentPassword is pfxOf with a MAC that was made with no password (RFC 7292, section 4) and SHA-1, without salt and
// with one iteration, for which the key derivation of appendix B.2 is the hash of the octet for MAC keys, 64 times.
func pfxWithAbsentPassword(safes ...[]byte) []byte {
	content := wrap(tagSequence, safes...)
	key := sha1.Sum(bytes.Repeat([]byte{3}, 64))
	mac := hmac.New(sha1.New, key[:])
	mac.Write(content)
	digest := wrap(tagSequence, wrap(tagSequence, []byte(derSHA1), []byte(derNull)), wrap(tagOctetString, mac.Sum(nil)))
	return wrap(tagSequence, wrap(tagInteger, []byte{3}), dataInfo(tagOctetString, content), wrap(tagSequence, digest, wrap(tagOctetString)))
}

// wrap returns the parts inside DER elements.
var wrap = tlvtest.Wrap
