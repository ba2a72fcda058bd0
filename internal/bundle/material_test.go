package bundle

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
	"unicode/utf16"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// moment is the time at which the tests' values are read.
var moment = start.AddDate(0, 3, 0)

// pair is a certificate with its key.
type pair struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// issue makes a certificate for key, self-signed if issuer is nil. change modifies its template.
func issue(t testing.TB, name string, key crypto.Signer, issuer *pair, change func(*x509.Certificate)) *pair {
	t.Helper()
	serial := must(rand.Int(rand.Reader, big.NewInt(1<<62)))
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: start, NotAfter: start.AddDate(1, 0, 0),
		BasicConstraintsValid: true,
	}
	if change != nil {
		change(template)
	}
	parent, signer := template, key
	if issuer != nil {
		parent, signer = issuer.cert, issuer.key
	}
	der := must(x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer))
	return &pair{must(x509cert.Read(der)), key}
}

func ca(c *x509.Certificate) { c.IsCA = true }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func newEC() crypto.Signer { return must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)) }

func newECOn(curve elliptic.Curve) crypto.Signer { return must(ecdsa.GenerateKey(curve, rand.Reader)) }

var rsaKeys = struct {
	sync.Mutex
	der map[int][]byte
}{der: map[int][]byte{}}

// newRSA returns a new copy of a key that is generated once per size: Wipe must not destroy another test's key.
func newRSA(bits int) *rsa.PrivateKey {
	rsaKeys.Lock()
	defer rsaKeys.Unlock()
	if rsaKeys.der[bits] == nil {
		rsaKeys.der[bits] = x509.MarshalPKCS1PrivateKey(must(rsa.GenerateKey(rand.Reader, bits)))
	}
	return must(x509.ParsePKCS1PrivateKey(rsaKeys.der[bits]))
}

// family is root, intermediate and leaf.
type family struct{ root, intermediate, leaf *pair }

func newFamily(t testing.TB, leafKey crypto.Signer) family {
	t.Helper()
	root := issue(t, "root", newEC(), nil, ca)
	intermediate := issue(t, "intermediate", newEC(), root, ca)
	return family{root, intermediate, issue(t, "leaf", leafKey, intermediate, nil)}
}

func certPEM(pairs ...*pair) []byte {
	var out []byte
	for _, p := range pairs {
		out = append(out, block("CERTIFICATE", p.cert.Raw)...)
	}
	return out
}

func keyPEM(key any) []byte { return block("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(key))) }

func block(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// pfxText returns the base64 text of a PFX with these certificates in this order and a blank password.
func pfxText(t testing.TB, encoder *pkcs12.Encoder, key any, pairs ...*pair) []byte {
	t.Helper()
	var rest []*x509.Certificate
	for _, p := range pairs[1:] {
		rest = append(rest, p.cert)
	}
	return text(must(encoder.Encode(key, pairs[0].cert, rest, "")))
}

func text(der []byte) []byte { return base64.StdEncoding.AppendEncode(nil, der) }

func file(t testing.TB, name string) []byte {
	t.Helper()
	return must(os.ReadFile(filepath.Join("testdata", name)))
}

// pfxOf builds a PFX without MAC from safes, each a whole ContentInfo.
func pfxOf(safes ...[]byte) []byte {
	return wrap(tagSequence, wrap(tagInteger, []byte{3}), dataInfo(tagOctetString+tagSequence, safes...))
}

// plainSafe returns a safe that is not encrypted.
func plainSafe(bags ...[]byte) []byte { return dataInfo(tagOctetString+tagSequence, bags...) }

func keyBag(key any) []byte {
	return wrap(tagSequence, []byte(derKeyBag), wrap(tagExplicit0, must(x509.MarshalPKCS8PrivateKey(key))))
}

func certBag(p *pair) []byte {
	certificate := wrap(tagSequence, []byte(derX509Certificate), wrap(tagExplicit0+tagOctetString, p.cert.Raw))
	return wrap(tagSequence, []byte(derCertBag), wrap(tagExplicit0, certificate))
}

// with returns a bag with attributes.
func with(bag []byte, attributes ...[]byte) []byte {
	var raw asn1.RawValue
	if !tlv.Decode(bag, &raw) {
		panic("no bag")
	}
	return wrap(tagSequence, raw.Bytes, wrap(tagSet, attributes...))
}

// attr returns an attribute with these values.
func attr(id asn1.ObjectIdentifier, values ...[]byte) []byte {
	return wrap(tagSequence, must(asn1.Marshal(id)), wrap(tagSet, values...))
}

func bmp(name string) []byte {
	var octets []byte
	for _, unit := range utf16.Encode([]rune(name)) {
		octets = append(octets, byte(unit>>8), byte(unit))
	}
	return wrap("\x1e", octets)
}

const tagSet = "\x31"

// pkcs7Of returns PKCS#7 in DER that holds certificates and, after them, other optional parts of SignedData.
func pkcs7Of(pairs []*pair, others ...[]byte) []byte {
	data := wrap(tagSequence, signedParts(pairs, others...))
	return wrap(tagSequence, []byte(derSignedData), wrap(tagExplicit0, data))
}

// openPKCS7 returns the same in BER, with indefinite lengths where BER allows them.
func openPKCS7(pairs []*pair) []byte {
	end := []byte{0, 0}
	open := func(tag string, content ...[]byte) []byte { return join([]byte(tag+"\x80"), join(content...), end) }
	var certificates []byte
	for _, p := range pairs {
		certificates = append(certificates, p.cert.Raw...)
	}
	data := open(tagSequence, wrap(tagInteger, []byte{1}), wrap(tagSet), open(tagSequence, []byte(derData)),
		open(tagExplicit0, certificates), wrap(tagSet))
	return open(tagSequence, []byte(derSignedData), open(tagExplicit0, data))
}

func signedParts(pairs []*pair, others ...[]byte) []byte {
	parts := [][]byte{wrap(tagInteger, []byte{1}), wrap(tagSet), wrap(tagSequence, []byte(derData))}
	if len(pairs) > 0 {
		var certificates [][]byte
		for _, p := range pairs {
			certificates = append(certificates, p.cert.Raw)
		}
		parts = append(parts, wrap(tagExplicit0, certificates...))
	}
	return join(join(parts...), join(others...), wrap(tagSet))
}

// safesOf returns the safes of a PFX.
func safesOf(t testing.TB, der []byte) [][]byte {
	t.Helper()
	var pfx struct {
		Version  int
		AuthSafe struct {
			ContentType asn1.ObjectIdentifier
			Content     asn1.RawValue `asn1:"tag:0,explicit,optional"`
		}
		MACData asn1.RawValue `asn1:"optional"`
	}
	var content []byte
	var raw []asn1.RawValue
	if !tlv.Decode(der, &pfx) || !tlv.Decode(pfx.AuthSafe.Content.Bytes, &content) || !tlv.Decode(content, &raw) {
		t.Fatal("not a PFX")
	}
	var safes [][]byte
	for _, safe := range raw {
		safes = append(safes, safe.FullBytes)
	}
	return safes
}

// names returns the common names of leaf and chain, which is what a test compares.
func names(b *Bundle) []string {
	all := []string{""}
	if b.Leaf != nil {
		all[0] = b.Leaf.Subject.CommonName
	}
	for _, c := range b.Chain {
		all = append(all, c.Subject.CommonName)
	}
	return all
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

func giantPublicKey() *rsa.PublicKey {
	return &rsa.PublicKey{N: new(big.Int).Lsh(big.NewInt(1), 1<<20), E: 65537}
}

func must2[A, B any](a A, b B, err error) (A, B) {
	if err != nil {
		panic(err)
	}
	return a, b
}
