package keyvault

import (
	"crypto"
	"crypto/x509"
	"encoding/base64"
	"fmt"

	pkcs12 "software.sslmate.com/src/go-pkcs12"
)

// encodePFX encodes with a blank password. The leaf is the first of the certificates.
func encodePFX(o CertificateOptions, key crypto.Signer, certificates []*x509.Certificate) (string, error) {
	encoder := pkcs12.Modern2023
	if o.LegacyPFX {
		encoder = pkcs12.LegacyDES
	}
	der, err := encoder.Encode(key, certificates[0], certificates[1:], "")
	if err != nil {
		return "", err
	}
	if o.RootFirst && len(certificates) > 1 {
		if der, err = reverse(der); err != nil {
			return "", fmt.Errorf("putting the root first: %w", err)
		}
	}
	return base64.StdEncoding.EncodeToString(der), nil
}
