package privatekey

import (
	"crypto/elliptic"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"github.com/vaultpane/vaultpane/internal/bundle/failure"
	"github.com/vaultpane/vaultpane/internal/bundle/form"
	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
)

// explain returns the *Error for a private key that no parser reads: it names the type in its object identifiers, or what it is
// instead of a key.
func explain(der []byte) error {
	if kind, remedy := kindOf(der); kind != "" {
		return failure.Malformed("the private key is %s: %s", kind, remedy)
	}
	switch f, known := form.Of(der); {
	case known && f == form.EncryptedKey:
		return failure.Malformed("the private key is encrypted with a password: store it without one (openssl pkey), as Key Vault " +
			"does for the certificates that it keeps")
	case known && f != form.Key:
		return failure.Malformed("instead of the private key there is %s: %s", f.What, f.Remedy)
	}
	return failure.Malformed("the private key cannot be read: it is damaged, or neither RSA nor EC as PKCS#8, PKCS#1 or SEC1")
}

// kindOf names the type of a private key in PKCS#8 (RFC 5958), SEC1 (RFC 5915) or OpenSSL's form of DSA, and what to use
// instead. It is empty for a supported type, whose damage is then elsewhere, and for data that is not a key.
func kindOf(der []byte) (kind, remedy string) {
	input := cryptobyte.String(der)
	var outer, content cryptobyte.String
	if !input.ReadASN1(&outer, asn1.SEQUENCE) || !outer.SkipASN1(asn1.INTEGER) {
		return "", ""
	}
	tag, algorithm := tlv.Next(&outer)
	if tag == asn1.SEQUENCE {
		return algorithmKind(algorithm)
	}
	if tag == asn1.OCTET_STRING {
		if outer.ReadASN1(&content, asn1.Tag(0).Constructed().ContextSpecific()) {
			return curveKind(content)
		}
		return "EC without the name of its curve", "write it again with the name (openssl pkey)"
	}
	numbers := 2
	for outer.SkipASN1(asn1.INTEGER) {
		numbers++
	}
	if tag == asn1.INTEGER && numbers == 6 {
		return "DSA", supportedKeys
	}
	return "", ""
}

// PublicKind names the type of a public key that is not supported, and what to use instead, from its SubjectPublicKeyInfo (RFC
// 5280, section 4.1.2.7). It is empty for a supported type.
func PublicKind(info []byte) (kind, remedy string) {
	input := cryptobyte.String(info)
	var outer, algorithm cryptobyte.String
	if !input.ReadASN1(&outer, asn1.SEQUENCE) || !outer.ReadASN1(&algorithm, asn1.SEQUENCE) {
		return "", ""
	}
	return algorithmKind(algorithm)
}

const (
	oidEC  = "1.2.840.10045.2.1"
	oidRSA = "1.2.840.113549.1.1.1"
	oidPSS = "1.2.840.113549.1.1.10"
)

// algorithmNames are the types of keys that occur in certificates (RFC 3279, RFC 8410, RFC 9881, RFC 9909).
var algorithmNames = map[string]string{
	"1.2.840.10040.4.1": "DSA", "1.2.840.113549.1.3.1": "Diffie-Hellman", "1.2.840.10046.2.1": "Diffie-Hellman",
	"1.3.101.110": "X25519, which cannot sign", "1.3.101.111": "X448, which cannot sign", "1.3.101.112": "Ed25519", "1.3.101.113": "Ed448",
	"2.16.840.1.101.3.4.3.17": "ML-DSA-44", "2.16.840.1.101.3.4.3.18": "ML-DSA-65", "2.16.840.1.101.3.4.3.19": "ML-DSA-87",
	"1.2.643.7.1.1.1.1": "GOST R 34.10-2012", "1.2.643.7.1.1.1.2": "GOST R 34.10-2012", "1.2.643.2.2.19": "GOST R 34.10-2001",
}

func algorithmKind(algorithm cryptobyte.String) (kind, remedy string) {
	var oid tlv.OID
	if !algorithm.ReadASN1ObjectIdentifier(&oid) {
		return "", ""
	}
	switch id := oid.String(); {
	case id == oidRSA:
		return "", ""
	case id == oidPSS:
		return "RSA for PSS only (id-RSASSA-PSS)", "request the certificate with a plain RSA key (rsaEncryption) of 2048 to 4096 " +
			"bits, which can also sign with PSS"
	case id == oidEC:
		return curveKind(algorithm)
	case algorithmNames[id] != "":
		return algorithmNames[id], supportedKeys
	default:
		return "of a type that is not supported (" + id + ")", supportedKeys
	}
}

// curves are other named curves that occur, in addition to those that are supported (SEC 2; RFC 5639; GM/T 0006).
var curves = map[string]string{
	"1.3.132.0.10": "secp256k1 (P-256K)", "1.3.132.0.31": "secp192k1", "1.3.132.0.32": "secp224k1", "1.3.132.0.33": "P-224",
	"1.2.840.10045.3.1.1": "P-192", "1.2.156.10197.1.301": "SM2",
	"1.3.36.3.3.2.8.1.1.1": "brainpoolP160r1", "1.3.36.3.3.2.8.1.1.2": "brainpoolP160t1",
	"1.3.36.3.3.2.8.1.1.3": "brainpoolP192r1", "1.3.36.3.3.2.8.1.1.4": "brainpoolP192t1",
	"1.3.36.3.3.2.8.1.1.5": "brainpoolP224r1", "1.3.36.3.3.2.8.1.1.6": "brainpoolP224t1",
	"1.3.36.3.3.2.8.1.1.7": "brainpoolP256r1", "1.3.36.3.3.2.8.1.1.8": "brainpoolP256t1",
	"1.3.36.3.3.2.8.1.1.9": "brainpoolP320r1", "1.3.36.3.3.2.8.1.1.10": "brainpoolP320t1",
	"1.3.36.3.3.2.8.1.1.11": "brainpoolP384r1", "1.3.36.3.3.2.8.1.1.12": "brainpoolP384t1",
	"1.3.36.3.3.2.8.1.1.13": "brainpoolP512r1", "1.3.36.3.3.2.8.1.1.14": "brainpoolP512t1",
}

var supportedCurves = map[string]elliptic.Curve{
	"1.2.840.10045.3.1.7": elliptic.P256(), "1.3.132.0.34": elliptic.P384(), "1.3.132.0.35": elliptic.P521(),
}

func curveKind(parameters cryptobyte.String) (kind, remedy string) {
	if parameters.PeekASN1Tag(asn1.SEQUENCE) {
		return "EC with its curve written out in numbers", "write it again with the curve's name (openssl pkey -ec_param_enc " +
			"named_curve) if that is P-256, P-384 or P-521, and otherwise request the certificate with a key on one of these"
	}
	var oid tlv.OID
	if !parameters.ReadASN1ObjectIdentifier(&oid) {
		return "", ""
	}
	switch id := oid.String(); {
	case supportedCurves[id] != nil:
		return "", ""
	case curves[id] != "":
		return "EC on " + curves[id], supportedKeys
	default:
		return "EC on a curve that is not supported (" + id + ")", supportedKeys
	}
}
