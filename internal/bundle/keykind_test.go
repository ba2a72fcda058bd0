package bundle

import (
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/asn1"
	"testing"

	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

// pkcs8 returns a private key with this algorithm (RFC 5958); the key itself is not read.
func pkcs8(algorithm ...[]byte) []byte {
	return wrap(tagSequence, wrap(tagInteger, []byte{0}), wrap(tagSequence, algorithm...), wrap(tagOctetString, make([]byte, 32)))
}

func oid(numbers ...int) []byte { return must(asn1.Marshal(asn1.ObjectIdentifier(numbers))) }

// sec1 returns a private key in OpenSSL's own form of EC (RFC 5915) with these parameters.
func sec1(parameters ...[]byte) []byte {
	parts := [][]byte{wrap(tagInteger, []byte{1}), wrap(tagOctetString, make([]byte, 32))}
	for _, p := range parameters {
		parts = append(parts, wrap(tagExplicit0, p))
	}
	return wrap(tagSequence, parts...)
}

func dsaKey(numbers int) []byte {
	parts := [][]byte{wrap(tagInteger, []byte{0})}
	for range numbers - 1 {
		parts = append(parts, wrap(tagInteger, []byte{7}))
	}
	return wrap(tagSequence, parts...)
}

func TestKeysThatGoDoesNotSupportAreNamed(t *testing.T) {
	ec := oid(1, 2, 840, 10045, 2, 1)
	brainpool := func(n int) []byte { return oid(1, 3, 36, 3, 3, 2, 8, 1, 1, n) }
	f := newFamily(t, newEC())
	const instead = ": use RSA with 2048 to 4096 bits, or EC on P-256, P-384 or P-521"
	for name, test := range map[string]struct {
		der     []byte
		message string
	}{
		"secp256k1":                  {pkcs8(ec, oid(1, 3, 132, 0, 10)), "the private key is EC on secp256k1 (P-256K)" + instead},
		"secp256k1 as SEC1":          {sec1(oid(1, 3, 132, 0, 10)), "the private key is EC on secp256k1 (P-256K)" + instead},
		"brainpoolP256r1":            {pkcs8(ec, brainpool(7)), "the private key is EC on brainpoolP256r1" + instead},
		"brainpoolP384r1 as SEC1":    {sec1(brainpool(11)), "the private key is EC on brainpoolP384r1" + instead},
		"brainpoolP512t1":            {pkcs8(ec, brainpool(14)), "the private key is EC on brainpoolP512t1" + instead},
		"P-192":                      {pkcs8(ec, oid(1, 2, 840, 10045, 3, 1, 1)), "the private key is EC on P-192" + instead},
		"SM2":                        {pkcs8(ec, oid(1, 2, 156, 10197, 1, 301)), "the private key is EC on SM2" + instead},
		"a curve without a name":     {pkcs8(ec, oid(1, 3, 132, 0, 16)), "the private key is EC on a curve that is not supported (1.3.132.0.16)" + instead},
		"a curve in numbers":         {pkcs8(ec, wrap(tagSequence)), "the private key is EC with its curve written out in numbers: write it again with the curve's name (openssl pkey -ec_param_enc named_curve)"},
		"a curve in numbers as SEC1": {sec1(wrap(tagSequence)), "the private key is EC with its curve written out in numbers"},
		"SEC1 without a curve":       {sec1(), "the private key is EC without the name of its curve: write it again with the name (openssl pkey)"},
		"Ed448":                      {pkcs8(oid(1, 3, 101, 113)), "the private key is Ed448" + instead},
		"X448":                       {pkcs8(oid(1, 3, 101, 111)), "the private key is X448, which cannot sign" + instead},
		"RSA for PSS":                {pkcs8(oid(1, 2, 840, 113549, 1, 1, 10)), "the private key is RSA for PSS only (id-RSASSA-PSS): request the certificate with a plain RSA key (rsaEncryption)"},
		"DSA":                        {pkcs8(oid(1, 2, 840, 10040, 4, 1), wrap(tagSequence)), "the private key is DSA" + instead},
		"DSA in OpenSSL's form":      {dsaKey(6), "the private key is DSA" + instead},
		"ML-DSA":                     {pkcs8(oid(2, 16, 840, 1, 101, 3, 4, 3, 18)), "the private key is ML-DSA-65" + instead},
		"a type without a name":      {pkcs8(oid(1, 2, 3, 4)), "the private key is of a type that is not supported (1.2.3.4)" + instead},
		"damaged RSA":                {pkcs8(oid(1, 2, 840, 113549, 1, 1, 1)), "the private key cannot be read: it is damaged"},
		"damaged PKCS#1":             {dsaKey(9), "the private key cannot be read: it is damaged"},
		"damaged P-256":              {pkcs8(ec, []byte(derP256)), "the private key cannot be read: it is damaged"},
		"a certificate instead":      {f.leaf.cert.Raw, "instead of the private key there is a certificate in DER (.cer)"},
		"an encrypted key":           {wrap(tagSequence, pbes2(1), wrap(tagOctetString, make([]byte, 16))), "the private key is encrypted with a password: store it without one (openssl pkey)"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(ContentTypePEM, join(certPEM(f.leaf), block("PRIVATE KEY", test.der)), moment)
			wantError(t, err, MalformedSecret, test.message)
			bag := wrap(tagSequence, []byte(derKeyBag), wrap(tagExplicit0, test.der))
			_, err = Parse(ContentTypePFX, text(pfxOf(plainSafe(certBag(f.leaf), bag))), moment)
			wantError(t, err, MalformedSecret, test.message)
			shrouded := wrap(tagSequence, pbes2(1), wrap(tagOctetString, seal(test.der)))
			bag = wrap(tagSequence, []byte(derShrouded), wrap(tagExplicit0, shrouded))
			_, err = Parse(ContentTypePFX, text(pfxOf(plainSafe(certBag(f.leaf), bag))), moment)
			wantError(t, err, MalformedSecret, test.message)
		})
	}
}

func TestKeysThatOnlyGoSupportsAreNamedInEveryForm(t *testing.T) {
	f := newFamily(t, newEC())
	_, ed := must2(ed25519.GenerateKey(rand.Reader))
	for message, key := range map[string]any{"is Ed25519: use RSA with": ed, "is EC on P-224: use RSA with": newECOn(elliptic.P224())} {
		for _, value := range [][]byte{join(certPEM(f.leaf), keyPEM(key)), text(must(pkcs12.Modern.Encode(key, f.leaf.cert, nil, "")))} {
			contentType := ContentTypePEM
			if value[0] != '-' {
				contentType = ContentTypePFX
			}
			_, err := Parse(contentType, value, moment)
			wantError(t, err, MalformedSecret, message)
		}
	}
}

func TestTheErrorForAMismatchNamesTheCertificatesKey(t *testing.T) {
	f := newFamily(t, newEC())
	foreign := replaceCurve(f.leaf.cert.Raw)
	_, err := Parse(ContentTypePEM, join(certPEM(f.root), block("CERTIFICATE", foreign), keyPEM(newRSA(2048))), moment)
	wantError(t, err, KeyMismatch, `matches none of its certificates, and the key of certificate 2 ("CN=leaf") is EC on brainpoolP256r1: use RSA`)
}

// replaceCurve puts the name of brainpoolP256r1, which is a byte longer, instead of P-256's.
func replaceCurve(der []byte) []byte {
	var certificate, tbs, info []asn1.RawValue
	must(asn1.Unmarshal(der, &certificate))
	must(asn1.Unmarshal(certificate[0].FullBytes, &tbs))
	must(asn1.Unmarshal(tbs[6].FullBytes, &info))
	spki := wrap(tagSequence, wrap(tagSequence, oid(1, 2, 840, 10045, 2, 1), oid(1, 3, 36, 3, 3, 2, 8, 1, 1, 7)), info[1].FullBytes)
	var parts [][]byte
	for i, element := range tbs {
		if i == 6 {
			element.FullBytes = spki
		}
		parts = append(parts, element.FullBytes)
	}
	return wrap(tagSequence, wrap(tagSequence, parts...), certificate[1].FullBytes, certificate[2].FullBytes)
}
