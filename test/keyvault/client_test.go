package keyvault

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// clientOptions trust the server's CA and never retry.
func clientOptions(t *testing.T, s *Server) azcore.ClientOptions {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(s.CAPEM()) {
		t.Fatal("the CA is no PEM certificate")
	}
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
	}
	t.Cleanup(transport.CloseIdleConnections)
	return azcore.ClientOptions{Transport: &http.Client{Transport: transport}, Retry: policy.RetryOptions{MaxRetries: -1}}
}

func variables(list []string) map[string]string {
	result := map[string]string{}
	for _, one := range list {
		name, value, _ := strings.Cut(one, "=")
		result[name] = value
	}
	return result
}

func names(list []string) []string { return slices.Sorted(maps.Keys(variables(list))) }

// newClient returns a client of a vault with the server's application as identity.
func newClient(t *testing.T, s *Server, vault string) *azsecrets.Client {
	t.Helper()
	return clientWith(t, s, vault, secretCredential(t, s, variables(s.Env())["AZURE_CLIENT_SECRET"]))
}

func secretCredential(t *testing.T, s *Server, secret string) azcore.TokenCredential {
	t.Helper()
	for _, one := range s.authorityEnv() {
		name, value, _ := strings.Cut(one, "=")
		t.Setenv(name, value)
	}
	options := &azidentity.ClientSecretCredentialOptions{ClientOptions: clientOptions(t, s), DisableInstanceDiscovery: true}
	credential, err := azidentity.NewClientSecretCredential(s.tenant.id, s.tenant.clientID, secret, options)
	if err != nil {
		t.Fatal(err)
	}
	return credential
}

func clientWith(t *testing.T, s *Server, vault string, credential azcore.TokenCredential) *azsecrets.Client {
	t.Helper()
	client, err := azsecrets.NewClient(s.Vault(vault).URL(), credential, &azsecrets.ClientOptions{
		ClientOptions: clientOptions(t, s), DisableChallengeResourceVerification: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// get reads a secret that must exist.
func get(t *testing.T, client *azsecrets.Client, name, version string) azsecrets.GetSecretResponse {
	t.Helper()
	response, err := client.GetSecret(t.Context(), name, version, nil)
	if err != nil {
		t.Fatalf("reading %s: %v", name, err)
	}
	return response
}

// refused reads a secret that must be refused with a status, and returns the error.
func refused(t *testing.T, client *azsecrets.Client, name, version string, status int) *azcore.ResponseError {
	t.Helper()
	_, err := client.GetSecret(t.Context(), name, version, nil)
	var refusal *azcore.ResponseError
	if !errors.As(err, &refusal) || refusal.StatusCode != status {
		t.Fatalf("got %v, want status %d", err, status)
	}
	return refusal
}

func mustContain(t *testing.T, err error, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("got no error")
	}
	for _, one := range texts {
		if !strings.Contains(err.Error(), one) {
			t.Errorf("got %q, want %q in it", err, one)
		}
	}
}
