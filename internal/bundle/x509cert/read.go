// Package x509cert reads X.509 certificates in DER, also those that Go's parser refuses, and finds out which certificate issued
// which. Of the other packages below internal/bundle it imports failure, form and tlv.
package x509cert

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"net"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

// Read reads a certificate in DER. Certificates that OpenSSL and Windows accept and Go's parser refuses, such as with a
// negative serial number, an underscore in a PrintableString or a key on a curve that Go does not know, are read as far as this
// project needs them: names, validity, public key, key identifiers, whether it is an authority, DNS names and addresses. Fields
// that cannot be read are zero. The error is Go's, for a value that is not a certificate at all (RFC 5280, section 4.1).
func Read(der []byte) (*x509.Certificate, error) {
	certificate, err := x509.ParseCertificate(der)
	if err == nil {
		return certificate, nil
	}
	if lenient := readLeniently(bytes.Clone(der)); lenient != nil {
		return lenient, nil
	}
	return nil, err
}

var errNotDER = errors.New("not the DER of a certificate")

// readLeniently returns nil if even the outer structure is not that of a certificate.
func readLeniently(der []byte) *x509.Certificate {
	input := cryptobyte.String(der)
	var outer, tbs, algorithm cryptobyte.String
	var signature []byte
	if !input.ReadASN1(&outer, asn1.SEQUENCE) || !input.Empty() ||
		!outer.ReadASN1Element(&tbs, asn1.SEQUENCE) ||
		!outer.ReadASN1(&algorithm, asn1.SEQUENCE) ||
		!outer.ReadASN1BitStringAsBytes(&signature) {
		return nil
	}
	c := &x509.Certificate{Raw: der, RawTBSCertificate: tbs, Signature: signature, SignatureAlgorithm: signatureAlgorithm(algorithm)}
	if readTBS(c, tbs) != nil {
		return nil
	}
	return c
}

func readTBS(c *x509.Certificate, element cryptobyte.String) error {
	var tbs, serial, issuer, validity, subject, key cryptobyte.String
	if !element.ReadASN1(&tbs, asn1.SEQUENCE) ||
		!tbs.SkipOptionalASN1(asn1.Tag(0).Constructed().ContextSpecific()) || // the version
		!tbs.ReadASN1(&serial, asn1.INTEGER) ||
		!tbs.SkipASN1(asn1.SEQUENCE) || // the signature's algorithm, which is repeated outside
		!tbs.ReadASN1Element(&issuer, asn1.SEQUENCE) ||
		!tbs.ReadASN1(&validity, asn1.SEQUENCE) ||
		!tbs.ReadASN1Element(&subject, asn1.SEQUENCE) ||
		!tbs.ReadASN1Element(&key, asn1.SEQUENCE) {
		return errNotDER
	}
	c.SerialNumber = serialOf(serial)
	c.RawIssuer, c.RawSubject, c.RawSubjectPublicKeyInfo = issuer, subject, key
	c.Issuer, c.Subject = nameOf(issuer), nameOf(subject)
	c.NotBefore, c.NotAfter = readTime(&validity), readTime(&validity)
	if public, err := x509.ParsePKIXPublicKey(key); err == nil {
		c.PublicKey = public
	}
	readExtensions(c, tbs)
	return nil
}

// serialOf reads an INTEGER of any length and sign, minimal or not (X.690, section 8.3).
func serialOf(content []byte) *big.Int {
	serial := new(big.Int).SetBytes(content)
	if len(content) > 0 && content[0]&0x80 != 0 {
		serial.Sub(serial, new(big.Int).Lsh(big.NewInt(1), uint(8*len(content))))
	}
	return serial
}

// readTime reads the next time; zero for one that is not in the form of RFC 5280, section 4.1.2.5.
func readTime(validity *cryptobyte.String) time.Time {
	var at time.Time
	var other cryptobyte.String
	var tag asn1.Tag
	rest := *validity
	if !rest.ReadAnyASN1(&other, &tag) {
		return at
	}
	read := *validity
	*validity = rest
	if tag == asn1.UTCTime && read.ReadASN1UTCTime(&at) || tag == asn1.GeneralizedTime && read.ReadASN1GeneralizedTime(&at) {
		return at
	}
	return time.Time{}
}

// signatureAlgorithm returns one of the algorithms that chains are commonly signed with (RFC 8017, appendix A.2; RFC 5758, section
// 3.2). Signatures of other algorithms are not verified.
func signatureAlgorithm(identifier cryptobyte.String) x509.SignatureAlgorithm {
	var oid tlv.OID
	if !identifier.ReadASN1ObjectIdentifier(&oid) {
		return x509.UnknownSignatureAlgorithm
	}
	return signatureAlgorithms[oid.String()]
}

var signatureAlgorithms = map[string]x509.SignatureAlgorithm{
	"1.2.840.113549.1.1.5": x509.SHA1WithRSA, "1.2.840.113549.1.1.11": x509.SHA256WithRSA,
	"1.2.840.113549.1.1.12": x509.SHA384WithRSA, "1.2.840.113549.1.1.13": x509.SHA512WithRSA,
	"1.2.840.10045.4.1": x509.ECDSAWithSHA1, "1.2.840.10045.4.3.2": x509.ECDSAWithSHA256,
	"1.2.840.10045.4.3.3": x509.ECDSAWithSHA384, "1.2.840.10045.4.3.4": x509.ECDSAWithSHA512,
	"1.3.101.112": x509.PureEd25519,
}

// nameOf reads a distinguished name, whatever characters its strings hold.
func nameOf(element cryptobyte.String) pkix.Name {
	var sequence pkix.RDNSequence
	var names cryptobyte.String
	if !element.ReadASN1(&names, asn1.SEQUENCE) {
		return pkix.Name{}
	}
	for !names.Empty() {
		var set cryptobyte.String
		if !names.ReadASN1(&set, asn1.SET) {
			break
		}
		var relative pkix.RelativeDistinguishedNameSET
		for !set.Empty() {
			var pair, value cryptobyte.String
			var oid tlv.OID
			var tag asn1.Tag
			if !set.ReadASN1(&pair, asn1.SEQUENCE) || !pair.ReadASN1ObjectIdentifier(&oid) || !pair.ReadAnyASN1(&value, &tag) {
				break
			}
			relative = append(relative, pkix.AttributeTypeAndValue{Type: oid, Value: textIn(value, tag)})
		}
		sequence = append(sequence, relative)
	}
	var name pkix.Name
	name.FillFromRDNSequence(&sequence)
	return name
}

// addresses are the lengths of IP addresses in subject alternative names (RFC 5280, section 4.2.1.6).
var addresses = map[int]bool{net.IPv4len: true, net.IPv6len: true}
