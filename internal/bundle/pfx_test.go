package bundle

import (
	"bytes"
	"crypto"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"testing"

	"github.com/google/go-cmp/cmp"
	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/vaultpane/vaultpane/internal/bundle/privatekey"
)

func TestPFXOfEachKeyAndEncryptionIsReadInAnyOrder(t *testing.T) {
	encoders := map[string]*pkcs12.Encoder{
		"modern": pkcs12.Modern2023, "modern with PBMAC1": pkcs12.Modern2026, "3DES": pkcs12.LegacyDES, "RC2": pkcs12.LegacyRC2,
		"plain": pkcs12.Passwordless,
	}
	keys := map[string]crypto.Signer{
		"RSA": newRSA(2048), "P-256": newEC(), "P-384": newECOn(elliptic.P384()), "P-521": newECOn(elliptic.P521()),
	}
	for keyName, key := range keys {
		f := newFamily(t, key)
		for encoderName, encoder := range encoders {
			for order, pairs := range map[string][]*pair{
				"leaf first": {f.leaf, f.intermediate, f.root},
				"root first": {f.root, f.intermediate, f.leaf},
			} {
				t.Run(keyName+" "+encoderName+" "+order, func(t *testing.T) {
					wantFamily(t, pfxText(t, encoder, key, pairs...), key)
				})
			}
		}
	}
}

// wantFamily parses a PFX and expects leaf, intermediate and root, and this key unless it is nil.
func wantFamily(t *testing.T, value []byte, key crypto.Signer) {
	t.Helper()
	b, err := Parse(ContentTypePFX, value, moment)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"leaf", "intermediate", "root"}, names(b)); diff != "" {
		t.Error(diff)
	}
	if key != nil && !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(b.Key.Public()) {
		t.Error("another key")
	}
}

func TestPFXOfOtherProgramsIsRead(t *testing.T) {
	for _, name := range []string{
		"openssl-modern", "openssl-legacy", "openssl-3des", "openssl-plain", "openssl-plain-nomac", "openssl-nomac",
		"openssl-sha512", "openssl-sha384", "openssl-2des-rc2-128", "openssl-aes-128", "openssl-aes-192", "openssl-pbes2-3des", "java-empty",
		"java-null",
	} {
		t.Run(name, func(t *testing.T) { wantFamily(t, text(file(t, name+".pfx")), nil) })
	}
}

func TestPFXWithoutKeyIsRead(t *testing.T) {
	f := newFamily(t, newEC())
	for name, value := range map[string][]byte{
		"OpenSSL":              text(file(t, "openssl-nokeys.pfx")),
		"not encrypted":        text(pfxOf(plainSafe(certBag(f.root), certBag(f.intermediate)))),
		"a trust store":        text(must(pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{f.intermediate.cert, f.root.cert}, ""))),
		"one not encrypted":    text(must(pkcs12.Passwordless.EncodeTrustStore([]*x509.Certificate{f.root.cert, f.intermediate.cert}, ""))),
		"OpenSSL, 3DES or RC2": text(file(t, "openssl-nokeys-legacy.pfx")),
		"Java's trust store":   text(file(t, "java-truststore.pfx")),
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Parse(ContentTypePFX, value, moment)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"intermediate", "root"}, names(b)); diff != "" || b.HasKey() {
				t.Errorf("key: %v, %s", b.HasKey(), diff)
			}
			wantError(t, b.RequireKey(), PrivateKeyMissing, "no private key")
		})
	}
}

func TestPFXOfUnusualShapeIsRead(t *testing.T) {
	f := newFamily(t, newEC())
	sealed := safesOf(t, must(pkcs12.Modern.Encode(f.leaf.key, f.root.cert, nil, "")))[0]
	for name, der := range map[string][]byte{
		"one safe":                 pfxOf(plainSafe(certBag(f.root), keyBag(f.leaf.key), certBag(f.leaf), certBag(f.intermediate))),
		"a safe for each":          pfxOf(plainSafe(keyBag(f.leaf.key)), plainSafe(certBag(f.leaf)), sealed, plainSafe(certBag(f.intermediate))),
		"certificate twice":        pfxOf(plainSafe(certBag(f.leaf), keyBag(f.leaf.key)), sealed, sealed, plainSafe(certBag(f.intermediate))),
		"another bag":              pfxOf(plainSafe(otherBag(), certBag(f.leaf), keyBag(f.leaf.key)), sealed, plainSafe(certBag(f.intermediate))),
		"an empty safe":            pfxOf(plainSafe(), plainSafe(certBag(f.leaf), keyBag(f.leaf.key)), sealed, plainSafe(certBag(f.intermediate))),
		"MAC without password too": pfxWithAbsentPassword(plainSafe(keyBag(f.leaf.key), certBag(f.leaf), certBag(f.intermediate)), sealed),
		"key in an encrypted safe": pfxOf(plainSafe(certBag(f.leaf), certBag(f.intermediate)), sealed, sealedSafe(1, wrap(tagSequence, keyBag(f.leaf.key)))),
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Parse(ContentTypePFX, text(der), moment)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]string{"leaf", "intermediate", "root"}, names(b)[:3]); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// otherBag is a CRL bag.
func otherBag() []byte {
	id := []byte("\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x0a\x01\x04")
	return wrap(tagSequence, id, wrap(tagExplicit0+tagSequence))
}

func TestBase64MayHaveSpacesAndLineBreaks(t *testing.T) {
	f := newFamily(t, newEC())
	value := pfxText(t, pkcs12.Modern, f.leaf.key, f.leaf, f.intermediate, f.root)
	var spread []byte
	for i, b := range value {
		if i%64 == 0 {
			spread = append(spread, " \r\n\t"...)
		}
		spread = append(spread, b)
	}
	wantFamily(t, spread, f.leaf.key)
}

func TestPFXThatCannotBeUsedIsExplained(t *testing.T) {
	f := newFamily(t, newEC())
	_, ed := must2(ed25519.GenerateKey(rand.Reader))
	good := must(pkcs12.Modern.Encode(f.leaf.key, f.leaf.cert, nil, ""))
	leaf, key := certBag(f.leaf), keyBag(f.leaf.key)
	brokenCertificate := bytes.Replace(leaf, f.leaf.cert.RawSubject, bytes.Repeat([]byte{0xff}, len(f.leaf.cert.RawSubject)), 1)
	large, _ := pem.Decode(file(t, "rsa-8192.key"))
	largeBag := wrap(tagSequence, []byte(derKeyBag), wrap(tagExplicit0, large.Bytes))
	giantBag := wrap(tagSequence, []byte(derKeyBag), wrap(tagExplicit0+tagOctetString, make([]byte, privatekey.MaxSize)))
	enveloped := wrap(tagSequence, []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03"), wrap(tagExplicit0+tagSequence))
	for name, test := range map[string]struct {
		der     []byte
		message string
	}{
		"password":                         {file(t, "openssl-password.pfx"), "has a password or is damaged"},
		"password without MAC":             {file(t, "openssl-password-nomac.pfx"), "the private key in the PFX cannot be decrypted: the PFX has a password or is damaged"},
		"unknown cipher":                   {file(t, "openssl-aes-cfb.pfx"), "the certificates in the PFX cannot be decrypted: encryption 2.16.840.1.101.3.4.1.44 is not supported; export the PFX with AES-256 or 3DES"},
		"another file":                     {[]byte("PK\x03\x04\x00"), "base64 of a ZIP archive: unpack it"},
		"a certificate":                    {f.leaf.cert.Raw, "its value is base64 of a certificate in DER (.cer), which has no private key: import the PFX"},
		"cut short":                        {good[:len(good)/2], "base64 of a truncated file ("},
		"bytes after the end":              {append(bytes.Clone(good), 0), "base64 of a PFX with 1 extra bytes at its end"},
		"BER":                              {[]byte("\x30\x80\x02\x01\x03\x00\x00"), "not of a PFX in DER: if it is a PFX in BER, import"},
		"the content is not a list":        {wrap(tagSequence, wrap(tagInteger, []byte{3}), dataInfo(tagOctetString+tagInteger, []byte{3})), "not of a complete PFX of version 3"},
		"flipped bit":                      {flip(good), "has a password or is damaged"},
		"no certificate":                   {pfxOf(plainSafe(key)), "holds no certificate"},
		"nothing":                          {pfxOf(), "holds no certificate"},
		"two keys":                         {pfxOf(plainSafe(key, leaf, keyBag(newEC()))), "several private keys"},
		"Ed25519":                          {must(pkcs12.Modern.Encode(ed, f.leaf.cert, nil, "")), "is Ed25519"},
		"P-224":                            {pfxOf(plainSafe(keyBag(newECOn(elliptic.P224())), leaf)), "EC on P-224"},
		"RSA 8192":                         {pfxOf(plainSafe(largeBag, leaf)), "RSA with 8192 bits"},
		"a key too large to name":          {pfxOf(plainSafe(giantBag, leaf)), "private key has 8196 bytes"},
		"encrypted for a certificate":      {pfxOf(enveloped), "encrypted for a certificate or a Windows account"},
		"a damaged certificate":            {pfxOf(plainSafe(key, brokenCertificate)), "certificate 1 of the PFX cannot be read: its subject is damaged"},
		"an invalid safe":                  {pfxOf(wrap(tagInteger, []byte{1})), "damaged"},
		"a safe that holds a number":       {pfxOf(dataInfo(tagInteger, []byte{1})), "damaged"},
		"a safe whose bags are a number":   {pfxOf(dataInfo(tagOctetString+tagInteger, []byte{1})), "damaged"},
		"a bag that is a number":           {pfxOf(plainSafe(wrap(tagInteger, []byte{1}))), "damaged"},
		"many certificates":                {pfxOf(plainSafe(manyBags(t)...)), "more than 256 certificates"},
		"version 1, which is another form": {wrap(tagSequence, wrap(tagInteger, []byte{1})), "not of a complete PFX of version 3"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse(ContentTypePFX, text(test.der), moment)
			wantError(t, err, MalformedSecret, test.message)
		})
	}
}

func TestAValueThatIsNotBase64(t *testing.T) {
	for _, value := range []string{"héllo", "MIIK", "====", " \n", "MII"} {
		_, err := Parse(ContentTypePFX, []byte(value), moment)
		if value == "MIIK" {
			wantError(t, err, MalformedSecret, "not of a PFX")
			continue
		}
		wantError(t, err, MalformedSecret, "its value is not base64")
	}
}

func TestAPasswordIsReportedWithEveryMAC(t *testing.T) {
	f := newFamily(t, newEC())
	for _, encoder := range map[string]*pkcs12.Encoder{
		"SHA-1": pkcs12.LegacyDES, "SHA-256": pkcs12.Modern2023, "PBMAC1": pkcs12.Modern2026,
	} {
		_, err := Parse(ContentTypePFX, text(must(encoder.Encode(f.leaf.key, f.leaf.cert, nil, "secret"))), moment)
		wantError(t, err, MalformedSecret, "the PFX has a password or is damaged: import it as a certificate (az keyvault certificate import --password)")
	}
	for _, name := range []string{"openssl-sha512", "openssl-sha384"} {
		_, err := Parse(ContentTypePFX, text(flip(file(t, name+".pfx"))), moment)
		wantError(t, err, MalformedSecret, "the PFX has a password or is damaged")
	}
}

// flip changes one bit of an encrypted part.
func flip(der []byte) []byte {
	damaged := bytes.Clone(der)
	damaged[len(damaged)/2] ^= 1
	return damaged
}

func manyBags(t *testing.T) [][]byte {
	t.Helper()
	key := newEC()
	var bags [][]byte
	for range maxCertificates + 1 {
		bags = append(bags, certBag(issue(t, "one of many", key, nil, nil)))
	}
	return bags
}
