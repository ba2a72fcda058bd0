package keyvault

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"time"
)

// ServerCertificate is a TLS certificate that a vault presents.
type ServerCertificate string

// Server certificates, all of them in ServerCertificates.
const (
	// Good is for localhost, any name directly below it, and 127.0.0.1, from the server's CA.
	Good ServerCertificate = "Good"
	// Past has expired, Future is not valid yet.
	Past   ServerCertificate = "Past"
	Future ServerCertificate = "Future"
	// OtherName is for another host.
	OtherName ServerCertificate = "OtherName"
	// UntrustedCA comes from an untrusted CA.
	UntrustedCA ServerCertificate = "UntrustedCA"
)

// ServerCertificates are all except Good.
var ServerCertificates = []ServerCertificate{Past, Future, OtherName, UntrustedCA}

// Present makes the vault present another certificate on new connections.
func (v *Vault) Present(kind ServerCertificate) error {
	certificate, err := v.server.tls.serverCertificate(kind)
	if err != nil {
		return err
	}
	v.listener.present(&certificate)
	return nil
}

func (i *issuer) serverCertificate(kind ServerCertificate) (tls.Certificate, error) {
	now := time.Now()
	template := &x509.Certificate{
		Subject:   pkix.Name{CommonName: "localhost"},
		DNSNames:  []string{"localhost", "*.localhost"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(year), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	switch kind {
	case Good: // unchanged
	case Past:
		template.NotBefore, template.NotAfter = now.Add(-48*time.Hour), now.Add(-24*time.Hour)
	case Future:
		template.NotBefore = now.Add(24 * time.Hour)
	case OtherName:
		template.DNSNames, template.IPAddresses = []string{"proxy.example"}, nil
	case UntrustedCA:
		stranger, err := newTLSIssuer()
		if err != nil {
			return tls.Certificate{}, err
		}
		i = stranger
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("making a TLS key: %w", err)
	}
	certificate, err := i.issue(template, key.Public())
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key, Leaf: certificate}, nil
}
