package settings

import (
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// derivedName returns the name of a certificate of the extension's settings, the same as the Helm chart's
// (vaultpane.settings.name in charts/vaultpane/templates/_settings.tpl): the secret's name; with the store and location if they
// are not the defaults; with the version if one is pinned; with the vault if another certificate has that name, which depends on
// what else there is.
func derivedName(spec v1alpha1.ObservedCertificateSpec, taken map[string]bool) string {
	secret, err := url.Parse(spec.URL)
	if err != nil { // the CRD's rules do not let it through
		return dnsName(spec.URL)
	}
	parts := append(strings.Split(strings.TrimPrefix(secret.Path, "/"), "/"), "")
	words := []string{parts[1]}
	if !strings.EqualFold(spec.CertificateStoreName, "MY") {
		words = append(words, spec.CertificateStoreName)
	}
	if spec.CertificateStoreLocation != v1alpha1.LocalMachine {
		words = append(words, string(spec.CertificateStoreLocation))
	}
	if len(parts) > 3 {
		words = append(words, parts[2][:min(8, len(parts[2]))])
	}
	name := dnsName(strings.Join(words, "-"))
	if !taken[name] {
		return name
	}
	host, _, _ := strings.Cut(secret.Hostname(), ".")
	long := dnsName(name + "-" + host + "-" + hash(spec.URL, 4))
	if !taken[long] {
		return long
	}
	// Three stores whose names differ in punctuation; the chart rejects them.
	return dnsName(name + "-" + host + "-" + hash(spec.URL+"|"+spec.CertificateStoreName, 8))
}

func hash(text string, digits int) string {
	sum := sha256.Sum256([]byte(strings.ToLower(text)))
	return hex.EncodeToString(sum[:])[:digits]
}

func dnsName(text string) string {
	text = strings.NewReplacer("_", "-", ".", "-", " ", "-").Replace(strings.ToLower(text))
	if text = strings.Trim(text[:min(len(text), 240)], "-"); text == "" {
		return "certificate"
	}
	return text
}
