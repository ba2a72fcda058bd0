package keyvault

import (
	"net/http"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/google/uuid"
)

func TestAClientIsChallengedOnce(t *testing.T) {
	s := ForTest(t, "shop")
	vault := s.Vault("shop")
	vault.PutRaw("word", "text/plain", "open")
	client := newClient(t, s, "shop")
	for range 3 {
		if got := *get(t, client, "word", "").Value; got != "open" {
			t.Errorf("got %q", got)
		}
	}
	stats := vault.Stats()
	if stats.Unauthorized != 1 || stats.Requests != 3 || stats.Connections != 1 {
		t.Errorf("got %+v, want one challenge, three requests and one connection", stats)
	}
	if stats.BySecret["word"] != 3 || stats.ByCode[http.StatusOK] != 3 {
		t.Errorf("got %+v, want three responses 200 for the secret", stats)
	}
	if got := s.TokenRequests(); got != 1 {
		t.Errorf("got %d token requests, want 1", got)
	}
	vault.ResetStats()
	if stats := vault.Stats(); stats.Requests != 0 || len(stats.BySecret) != 0 {
		t.Errorf("got %+v after the reset", stats)
	}
}

func TestAWrongSecretIsRefused(t *testing.T) {
	s := ForTest(t, "shop")
	s.Vault("shop").PutRaw("word", "", "open")
	client := clientWith(t, s, "shop", secretCredential(t, s, "wrong"))
	_, err := client.GetSecret(t.Context(), "word", "", nil)
	mustContain(t, err, "AADSTS7000215", "invalid_client")
	if stats := s.Vault("shop").Stats(); stats.Requests != 0 {
		t.Errorf("got %+v, want no authenticated request", stats)
	}
}

func TestTokens(t *testing.T) {
	s := ForTest(t, "shop")
	s.Vault("shop").PutRaw("word", "", "open")
	tests := []struct {
		name, header, text string
		status             int
	}{
		{"a missing token is refused", "", "AKV10000", http.StatusUnauthorized},
		{"an unknown token is refused", "Bearer made-up", "BearerReadAccessTokenFailed", http.StatusUnauthorized},
		{"an expired token is refused", "Bearer " + s.tenant.tokens.issue("me", vaultResource, -time.Second), "TokenExpired", http.StatusUnauthorized},
		{"a good token is accepted", "Bearer " + s.tenant.tokens.issue("me", vaultResource, time.Minute), "open", http.StatusOK},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			response := rawGet(t, s, test.header)
			if response.status != test.status {
				t.Errorf("got status %d, want %d", response.status, test.status)
			}
			if !response.contains(test.text) {
				t.Errorf("got %s, want %q in it", response.body, test.text)
			}
			challenge := `Bearer authorization="` + s.tenant.url() + "/" + s.tenant.id + `", resource="https://vault.azure.net"`
			if got := response.header.Get("WWW-Authenticate"); test.status == http.StatusUnauthorized && got != challenge {
				t.Errorf("got the challenge %q, want %q", got, challenge)
			}
			if response.header.Get("x-ms-keyvault-region") == "" || response.header.Get("x-ms-request-id") == "" {
				t.Errorf("got %v, want Key Vault's own headers", response.header)
			}
		})
	}
}

func TestAFederatedTokenIsAccepted(t *testing.T) {
	s := ForTest(t, "shop")
	s.Vault("shop").PutRaw("word", "", "open")
	file := filepath.Join(t.TempDir(), "token")
	for name, value := range variables(s.EnvFederated(file)) {
		t.Setenv(name, value)
	}
	for _, clientID := range []string{"", "11111111-2222-3333-4444-555555555555"} {
		credential, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: clientOptions(t, s), DisableInstanceDiscovery: true, ClientID: clientID,
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := *get(t, clientWith(t, s, "shop", credential), "word", "").Value; got != "open" {
			t.Errorf("got %q", got)
		}
	}
}

func TestAManagedIdentityIsAccepted(t *testing.T) {
	s := ForTest(t, "shop")
	s.Vault("shop").PutRaw("word", "", "open")
	if got, want := names(s.EnvManagedIdentity()), []string{"IDENTITY_ENDPOINT", "IDENTITY_HEADER"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for name, value := range variables(s.EnvManagedIdentity()) {
		t.Setenv(name, value)
	}
	if got := *get(t, clientWith(t, s, "shop", managedIdentity(t, s)), "word", "").Value; got != "open" {
		t.Errorf("got %q", got)
	}
}

func TestAWrongIdentityHeaderIsRefused(t *testing.T) {
	s := ForTest(t, "shop")
	for name, value := range variables(s.EnvManagedIdentity()) {
		t.Setenv(name, value)
	}
	t.Setenv("IDENTITY_HEADER", "wrong")
	_, err := clientWith(t, s, "shop", managedIdentity(t, s)).GetSecret(t.Context(), "word", "", nil)
	mustContain(t, err, "the identity header is wrong")
}

// managedIdentity returns an identity with a client ID of its own, since MSAL's cache of tokens outlives the test.
func managedIdentity(t *testing.T, s *Server) azcore.TokenCredential {
	t.Helper()
	credential, err := azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
		ClientOptions: clientOptions(t, s), ID: azidentity.ClientID(uuid.NewString()),
	})
	if err != nil {
		t.Fatal(err)
	}
	return credential
}
