package bundle

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net"
	"testing"

	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

// resigned returns a certificate whose signed part was changed and signed again, as other tools could have made it.
func resigned(t testing.TB, original *x509.Certificate, key crypto.Signer, change func(tbs []byte) []byte) []byte {
	t.Helper()
	var parts struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	must(asn1.Unmarshal(original.Raw, &parts))
	tbs := change(bytes.Clone(parts.TBS.FullBytes))
	sum := sha256.Sum256(tbs)
	signature := must(key.Sign(rand.Reader, sum[:], crypto.SHA256))
	parts.TBS = asn1.RawValue{FullBytes: tbs}
	parts.Signature = asn1.BitString{Bytes: signature, BitLength: 8 * len(signature)}
	return must(asn1.Marshal(parts))
}

// nonconforming are certificates that OpenSSL and Windows read and Go's parser refuses.
var nonconforming = map[string]func(tbs []byte) []byte{
	"negative serial number": func(tbs []byte) []byte {
		at := bytes.Index(tbs, []byte{0x02, 0x08, 0x51}) // INTEGER, 8 bytes
		tbs[at+2] |= 0x80
		return tbs
	},
	"underscore in a PrintableString": func(tbs []byte) []byte {
		text := append([]byte{0x0c, 8}, "my_certs"...) // UTF8String
		at := bytes.LastIndex(tbs, text)
		tbs[at] = 0x13
		return tbs
	},
}

const oddSerial = 0x5123456789abcdef

func odd(t testing.TB, name string, issuer *pair) []byte {
	t.Helper()
	issued := issue(t, "my_certs", newEC(), issuer, func(c *x509.Certificate) {
		c.SerialNumber = big.NewInt(oddSerial)
		c.DNSNames, c.IPAddresses, c.IsCA = []string{"a.example", "*.b.example"}, []net.IP{net.IPv4(192, 0, 2, 1).To4()}, true
		c.SubjectKeyId = []byte("key")
	})
	return resigned(t, issued.cert, issuer.key, nonconforming[name])
}

func TestCertificatesThatOnlyGoRefusesAreRead(t *testing.T) {
	issuer := issue(t, "issuer", newEC(), nil, ca)
	for name := range nonconforming {
		t.Run(name, func(t *testing.T) {
			der := odd(t, name, issuer)
			if _, err := x509.ParseCertificate(der); err == nil {
				t.Fatal("Go's parser accepts it: this test proves nothing")
			}
			c, err := x509cert.Read(der)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(c.Raw, der) || c.Subject.CommonName != "my_certs" || c.Issuer.CommonName != "issuer" ||
				!c.NotBefore.Equal(start) || !c.NotAfter.Equal(start.AddDate(1, 0, 0)) || !c.IsCA || string(c.SubjectKeyId) != "key" ||
				len(c.DNSNames) != 2 || c.DNSNames[1] != "*.b.example" || len(c.IPAddresses) != 1 || !c.IPAddresses[0].Equal(net.IPv4(192, 0, 2, 1)) ||
				c.PublicKey == nil {
				t.Errorf("read %+v", c)
			}
			if c.SerialNumber.Sign() >= 0 != (name != "negative serial number") {
				t.Errorf("its serial number is %s", c.SerialNumber)
			}
			if !x509cert.Issued(issuer.cert, c) {
				t.Error("the issuer is not recognized")
			}
			if stranger := issue(t, "issuer", newEC(), nil, ca); x509cert.Issued(stranger.cert, c) {
				t.Error("another authority of the same name is taken for the issuer")
			}
		})
	}
}

func TestDataThatIsNotACertificateIsRefused(t *testing.T) {
	good := issue(t, "web", newEC(), nil, nil).cert.Raw
	for name, der := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "cut short": good[:len(good)-1], "extra bytes": append(bytes.Clone(good), 0)} {
		if c, err := x509cert.Read(der); err == nil {
			t.Errorf("%s is read as %+v", name, c)
		}
	}
}

func TestACertificateOfTheSameNameSignedWithAnotherKeyIsNotSelfSigned(t *testing.T) {
	before := issue(t, "Root", newEC(), nil, ca)
	after := issue(t, "Root", newEC(), nil, ca)
	cross := issue(t, "Root", after.key, before, ca)
	if !x509cert.SelfSigned(before.cert) || !x509cert.SelfSigned(after.cert) {
		t.Error("a root is not taken for self-signed")
	}
	if x509cert.SelfSigned(cross.cert) {
		t.Error("a cross certificate is taken for self-signed")
	}
}

func FuzzReadCertificate(f *testing.F) {
	issuer := issue(f, "issuer", newEC(), nil, ca)
	f.Add(issuer.cert.Raw)
	for name := range nonconforming {
		f.Add(odd(f, name, issuer))
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		c, err := x509cert.Read(der)
		if err == nil && !bytes.Equal(c.Raw, der) {
			t.Error("the result has other bytes than the input")
		}
	})
}
