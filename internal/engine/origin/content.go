package origin

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/bundle/armor"
	"github.com/vaultpane/vaultpane/internal/bundle/form"
	"github.com/vaultpane/vaultpane/internal/bundle/tlv"
	"github.com/vaultpane/vaultpane/internal/bundle/x509cert"
)

// maxCertificates bounds a bundle, as package bundle bounds a secret: the largest lists of public roots have about 150 entries.
const maxCertificates = 256

// keyHeading is the heading of a private key in PEM of any kind, encrypted or not, and also where its dashes were changed.
var keyHeading = regexp.MustCompile(`(?i)BEGIN[A-Z0-9 ]* PRIVATE KEY`)

// certificateLine is the first or last line of a certificate in PEM, also where its dashes were changed.
var certificateLine = regexp.MustCompile(`(?i)[-–—] ?(BEGIN|END) (X509 |TRUSTED )?CERTIFICATE ?[-–—]`)

// Certificates reads the content of a ConfigMap's key: one or more certificates in PEM, with any text between them. It returns them,
// and their version, a hash that neither the order of the certificates nor the text between them changes. The first certificate is the
// one that expires last: the end of the bundle. Certificates takes ownership of content and overwrites it. The error is a
// *bundle.Error, whose text holds nothing of the content.
func (o Origin) Certificates(content []byte) (*bundle.Bundle, string, error) {
	defer clear(content)
	text := armor.ToASCII(content)
	switch {
	case keyHeading.Match(text):
		return nil, "", o.holdsKey()
	case len(bytes.TrimSpace(text)) == 0:
		return nil, "", o.malformed("is empty, and the certificates that are installed stay: to end trust in all of them, delete the ObservedCertificate with deletionPolicy Delete")
	case !bytes.Contains(text, []byte(armor.Begin)):
		return nil, "", o.notPEM(text)
	}
	certificates, err := o.blocks(text)
	if err != nil {
		return nil, "", err
	}
	if len(certificates) == 0 {
		return nil, "", o.malformed("has no certificate, and the certificates that are installed stay")
	}
	slices.SortFunc(certificates, func(a, b *x509.Certificate) int {
		if order := b.NotAfter.Compare(a.NotAfter); order != 0 {
			return order
		}
		return bytes.Compare(a.Raw, b.Raw)
	})
	return &bundle.Bundle{Leaf: certificates[0], Chain: certificates[1:]}, versionOf(certificates), nil
}

// blocks returns the certificates of a PEM text, each once.
func (o Origin) blocks(text []byte) ([]*x509.Certificate, error) {
	var certificates []*x509.Certificate
	known := map[string]bool{}
	for number := 1; ; number++ {
		between, _, more := bytes.Cut(text, []byte(armor.Begin))
		if certificateLine.Match(between) { // without it, the trust in that certificate would end
			return nil, o.malformed("cannot be read: of PEM block %d, its BEGIN line is damaged", number)
		}
		if !more {
			return certificates, nil
		}
		block, rest, damage := armor.NextBlock(text)
		text = rest
		if damage != "" {
			clear(block.DER)
			return nil, o.malformed("cannot be read: of PEM block %d, %s", number, damage)
		}
		certificate, err := o.certificate(block, number)
		clear(block.DER)
		if err != nil {
			return nil, err
		}
		if certificate == nil || known[string(certificate.Raw)] {
			continue
		}
		if len(certificates) == maxCertificates {
			return nil, o.malformed("has more than %d certificates; keep only those that the nodes need", maxCertificates)
		}
		known[string(certificate.Raw)] = true
		certificates = append(certificates, certificate)
	}
}

// certificate returns the certificate of a block, nil for a block of another kind, such as a revocation list.
func (o Origin) certificate(block armor.Block, number int) (*x509.Certificate, error) {
	if found, known := form.Of(block.DER); known && isKey(found) {
		return nil, o.holdsKey() // whatever its heading says
	}
	der := block.DER
	switch strings.ToUpper(strings.TrimSpace(block.Heading)) {
	case "CERTIFICATE", "X509 CERTIFICATE":
	case "TRUSTED CERTIFICATE":
		der = tlv.First(der) // OpenSSL appends what the certificate is trusted for
	case "PKCS7", "CMS", "PKCS #7 SIGNED DATA": // it may have certificates, and leaving them out would end the trust in them
		return nil, o.malformed("cannot be read: PEM block %d is PKCS#7; write its certificates as blocks of their own (openssl pkcs7 -print_certs)", number)
	default:
		return nil, nil
	}
	certificate, err := x509cert.Read(bytes.Clone(der))
	if err != nil {
		return nil, o.malformed("cannot be read: PEM block %d is not a certificate in DER", number)
	}
	return certificate, nil
}

// notPEM explains content without a PEM block.
func (o Origin) notPEM(text []byte) error {
	found, what, known := form.Inside(text)
	if !known {
		found, known = form.Of(text) // binaryData
		what = found.What
	}
	switch {
	case known && isKey(found):
		return o.holdsKey()
	case known:
		return o.malformed("is %s, and must be certificates in PEM, whose lines begin with -----BEGIN CERTIFICATE-----", what)
	}
	return o.malformed("is not PEM; it must be certificates, whose lines begin with -----BEGIN CERTIFICATE-----")
}

func isKey(f form.Form) bool { return f == form.Key || f == form.EncryptedKey }

func (o Origin) malformed(format string, arguments ...any) error {
	return &bundle.Error{Reason: bundle.MalformedSecret, Message: o.Describe() + " " + fmt.Sprintf(format, arguments...)}
}

func (o Origin) holdsKey() error {
	return &bundle.Error{Reason: bundle.Reason(v1alpha1.ReasonPrivateKeyNotAllowed), Message: o.Describe() +
		" has a private key, so nothing of it is installed: remove it, and replace the key, since every account that may read ConfigMaps there may have read it"}
}

// Describe names the origin in a message.
func (o Origin) Describe() string {
	if o.ConfigMap != nil {
		return fmt.Sprintf("the key %s of the ConfigMap %s/%s", o.ConfigMap.Key, o.Namespace, o.ConfigMap.Name)
	}
	return o.Secret.String()
}

// versionOf hashes sorted certificates to 32 hexadecimal digits, the length of a version in Key Vault.
func versionOf(certificates []*x509.Certificate) string {
	all := sha256.New()
	for _, one := range certificates {
		all.Write(one.Raw) // DER has its own length, so no two bundles have the same bytes
	}
	return hex.EncodeToString(all.Sum(nil)[:16])
}
