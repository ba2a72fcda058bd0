package keyvault

import (
	"bytes"
	"crypto"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"slices"
	"testing"

	pkcs12 "software.sslmate.com/src/go-pkcs12"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// certificatesOf returns a secret's certificates in their order, and its key.
func certificatesOf(t *testing.T, secret azsecrets.Secret) ([]*x509.Certificate, any) {
	t.Helper()
	if *secret.ContentType == PEM.String() {
		return certificatesOfPEM(t, []byte(*secret.Value))
	}
	der, err := base64.StdEncoding.DecodeString(*secret.Value)
	if err != nil {
		t.Fatal(err)
	}
	private, first, others, err := pkcs12.DecodeChain(der, "")
	if err != nil {
		t.Fatal(err)
	}
	return append([]*x509.Certificate{first}, others...), private
}

func certificatesOfPEM(t *testing.T, text []byte) (certificates []*x509.Certificate, private any) {
	t.Helper()
	var err error
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type == "PRIVATE KEY" {
			if private, err = x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
				t.Fatal(err)
			}
			continue
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		certificates = append(certificates, certificate)
	}
	return certificates, private
}

// thumbprintOf returns the thumbprint of the certificate that is not a CA.
func thumbprintOf(t *testing.T, secret azsecrets.Secret) string {
	t.Helper()
	certificates, _ := certificatesOf(t, secret)
	i := slices.IndexFunc(certificates, func(c *x509.Certificate) bool { return !c.IsCA })
	return fmt.Sprintf("%X", sha1.Sum(certificates[i].Raw))
}

func TestTheOrderOfCertificates(t *testing.T) {
	const leaf, intermediate, root = "web.example.com", "Vaultpane test intermediate", "Vaultpane test root"
	s := ForTest(t, "shop")
	client := newClient(t, s, "shop")
	tests := []struct {
		name    string
		options CertificateOptions
		want    []string
	}{
		{"a PFX has the leaf only", CertificateOptions{}, []string{leaf}},
		{"a PFX has the leaf first", CertificateOptions{WithChain: true}, []string{leaf, intermediate, root}},
		{"Key Vault's PFX has the root first", CertificateOptions{WithChain: true, RootFirst: true}, []string{root, intermediate, leaf}},
		{"an old PFX has the root first", CertificateOptions{WithChain: true, RootFirst: true, LegacyPFX: true}, []string{root, intermediate, leaf}},
		{"a PFX without chain has the leaf only", CertificateOptions{RootFirst: true}, []string{leaf}},
		{"PEM has the leaf first", CertificateOptions{ContentType: PEM, WithChain: true}, []string{leaf, intermediate, root}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.options.KeyType = P384
			made, err := s.Vault("shop").Put("web", test.options)
			if err != nil {
				t.Fatal(err)
			}
			secret := get(t, client, "web", "").Secret
			certificates, private := certificatesOf(t, secret)
			var subjects []string
			for _, one := range certificates {
				subjects = append(subjects, one.Subject.CommonName)
			}
			if !slices.Equal(subjects, test.want) {
				t.Errorf("got %v, want %v", subjects, test.want)
			}
			if got := thumbprintOf(t, secret); got != made.Thumbprint {
				t.Errorf("got thumbprint %s, want %s", got, made.Thumbprint)
			}
			mustBelong(t, private, certificates[slices.Index(test.want, leaf)])
		})
	}
}

// mustBelong fails unless the private key is the certificate's.
func mustBelong(t *testing.T, private any, leaf *x509.Certificate) {
	t.Helper()
	public, err := x509.MarshalPKIXPublicKey(private.(crypto.Signer).Public())
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(public, leaf.RawSubjectPublicKeyInfo) {
		t.Errorf("the key does not belong to %s", leaf.Subject.CommonName)
	}
}

func TestManyCertificatesAllDiffer(t *testing.T) {
	s := ForTest(t, "shop")
	made, err := s.Vault("shop").PutMany("web", 200, CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for i, one := range made {
		seen[one.Thumbprint] = true
		if got := s.Vault("shop").Thumbprint(fmt.Sprintf("web-%04d", i)); got != one.Thumbprint {
			t.Errorf("got %s at %d, want %s", got, i, one.Thumbprint)
		}
	}
	if len(seen) != 200 {
		t.Errorf("got %d thumbprints, want 200", len(seen))
	}
}

func TestEveryKeyType(t *testing.T) {
	s := ForTest(t, "shop")
	for kind := RSA2048; kind <= P521; kind++ {
		t.Run(kind.String(), func(t *testing.T) {
			parsed, err := ParseKeyType(kind.String())
			if err != nil || parsed != kind {
				t.Errorf("got %s, %v", parsed, err)
			}
			if _, err := s.Vault("shop").Put("web", CertificateOptions{KeyType: kind, ContentType: PEM}); err != nil {
				t.Error(err)
			}
		})
	}
	if _, err := ParseKeyType("DSA"); err == nil {
		t.Error("DSA is a key type")
	}
}
