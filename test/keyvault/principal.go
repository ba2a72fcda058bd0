package keyvault

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"os"
	"strings"
	"time"
)

// EnvCertificate writes a key and a certificate to a PEM file, adds it to the application, and returns the variables of a
// service principal that authenticates with it. It panics if that fails.
func (s *Server) EnvCertificate(file string) []string {
	public, content, err := newPrincipal()
	if err == nil {
		err = os.WriteFile(file, content, 0o600)
	}
	if err != nil {
		panic(fmt.Sprintf("keyvault: making the application's certificate: %v", err))
	}
	s.tenant.mu.Lock()
	defer s.tenant.mu.Unlock()
	s.tenant.principals = append(s.tenant.principals, public)
	return append(s.authorityEnv(), "AZURE_CLIENT_CERTIFICATE_PATH="+file)
}

// FederatedEnv returns the variables of a workload identity whose federated tokens the caller checks: those of a cluster's service
// account, as if the application had a federated credential for it.
func (s *Server) FederatedEnv(accepts func(token string) bool) []string {
	s.tenant.mu.Lock()
	defer s.tenant.mu.Unlock()
	s.tenant.accepts = accepts
	return s.authorityEnv()
}

// ForgetCredentials makes the tenant refuse all certificates and federated tokens that it has accepted so far, as after their
// renewal and expiry.
func (s *Server) ForgetCredentials() {
	s.tenant.mu.Lock()
	defer s.tenant.mu.Unlock()
	s.tenant.principals = nil
	clear(s.tenant.assertions)
}

// EnvTokenProxy returns the variables of the token proxy of AKS identity bindings
// (https://learn.microsoft.com/azure/aks/identity-bindings-concepts), for which the server's token endpoint is used.
func (s *Server) EnvTokenProxy() []string {
	return []string{"AZURE_KUBERNETES_TOKEN_PROXY=" + s.tenant.url(), "AZURE_KUBERNETES_CA_FILE=" + s.CAFile()}
}

func newPrincipal() (*rsa.PublicKey, []byte, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048) // MSAL signs with RSA only
	if err != nil {
		return nil, nil, err
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "vaultpane"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(year),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	private = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})
	return &key.PublicKey, bytes.Join([][]byte{private, certificatePEM(certificate)}, nil), nil
}

// signedByPrincipal reports whether a JWT is signed with the key of one of the application's certificates.
func (t *tenant) signedByPrincipal(assertion string) bool {
	end := strings.LastIndex(assertion, ".")
	if end < 0 {
		return false
	}
	signature, err := base64.RawURLEncoding.DecodeString(assertion[end+1:])
	if err != nil {
		return false
	}
	digest := sha256.Sum256([]byte(assertion[:end]))
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, public := range t.principals {
		if rsa.VerifyPSS(public, crypto.SHA256, digest[:], signature, nil) == nil || rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature) == nil {
			return true
		}
	}
	return false
}
