package keyvault

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// Tokens are valid for hours. An event that invalidates them (a new signing key, a revocation) must not block certificates that
// long.
func TestATokenThatIsRefusedIsReplacedWithoutARestart(t *testing.T) {
	tests := []struct {
		name      string
		variables func(*testing.T, *vaulttest.Server) []string
		clientID  string
	}{
		{"of a client secret", func(_ *testing.T, s *vaulttest.Server) []string { return s.Env() }, ""},
		{"of a federated credential", federated, ""},
		{"of a managed identity, which MSAL caches for the whole process", func(_ *testing.T, s *vaulttest.Server) []string {
			return s.EnvManagedIdentity()
		}, uuid.NewString()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.env = setEnvironment(t, test.variables(t, f.server))
			ops := f.server.Vault("ops")
			read := func(vault *vaulttest.Vault) {
				t.Helper()
				got, err := f.clients.Get(t.Context(), urlOf(t, vault.SecretURL("word")), test.clientID, later())
				if err != nil || string(got.Value) != secretValue {
					t.Fatalf("got %q, error %v", got.Value, err)
				}
			}
			for round := 1; round <= 3; round++ {
				read(f.vault)
				read(f.vault)
				read(ops)
				if got := f.server.TokenRequests(); got != round {
					t.Errorf("got %d token requests after %d keys, want one each", got, round)
				}
				f.server.RotateSigningKey()
			}
		})
	}
}

// A vault may refuse a token without repeating its challenge.
func TestARefusalOfATokenNeedsNoChallenge(t *testing.T) {
	for name, header := range map[string]string{"none": "", "of OAuth": `Bearer error="invalid_token", error_description="The signature is invalid"`} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.vault.ResetStats()
			base := f.rechallenge(t, func(challenge string) string {
				if f.vault.Stats().Unauthorized > 1 {
					return header
				}
				return challenge
			})
			urls, errs := f.readAll(t, base, 1)
			_ = f.wantFailure(t, errs[0], urls[0], v1alpha1.ReasonSecretNotFound)
			f.server.RotateSigningKey()
			if header == "" {
				f.clients.responses.evict(request{secret: urls[0]}, f.clients.responses.byKey[request{secret: urls[0]}])
			}
			_, err := f.clients.Get(t.Context(), urls[0], "", later())
			_ = f.wantFailure(t, err, urls[0], v1alpha1.ReasonSecretNotFound)
			if got := f.server.TokenRequests(); got != 2 {
				t.Errorf("got %d token requests, want 2", got)
			}
		})
	}
}

func TestTheBreakerOpensOnlyForTheVaultThatRefusesEveryToken(t *testing.T) {
	f, clock := newTimed(t, nil)
	_ = f.mustRead(t)
	f.vault.Refuse(vaulttest.TokenExpired, -1)
	failure := f.wants(t, f.vault, v1alpha1.ReasonAuthenticationFailed, 100)
	if failure.RetryAfter < 30*time.Second {
		t.Errorf("the others retry after %s, want half a minute or more", failure.RetryAfter)
	}
	if got := f.vault.Stats().Unauthorized; got != 3 {
		t.Errorf("got %d responses 401, want the challenge, the kept token's and the new one's", got)
	}
	if got := f.server.TokenRequests(); got != 2 {
		t.Errorf("got %d token requests, want 2", got)
	}
	if _, err := f.read(t, f.server.Vault("ops"), "word"); err != nil {
		t.Errorf("the other vault: %v", err)
	}

	before := f.server.TokenRequests()
	clock.pass(34 * time.Second)
	_ = f.wants(t, f.vault, v1alpha1.ReasonAuthenticationFailed, 100) // one of them probes
	if got := f.server.TokenRequests(); got != before+1 {
		t.Errorf("got %d token requests after %d, want one more", got, before)
	}
	f.vault.Heal()
	clock.pass(67 * time.Second)
	_ = f.mustRead(t)
	_ = f.wants(t, f.vault, v1alpha1.ReasonSecretNotFound, 5)
}

// A hostile vault could demand claims forever.
func TestAClaimsChallengeIsAnsweredOnce(t *testing.T) {
	f := newFixture(t)
	asked := 0
	base := f.gateway(t, func(w http.ResponseWriter, r *http.Request) bool {
		asked++
		if r.Header.Get("Authorization") == "" {
			return false
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnt9fQ=="`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	urls, errs := f.readAll(t, base, 1)
	_ = f.wantFailure(t, errs[0], urls[0], v1alpha1.ReasonAuthenticationFailed, "HTTP 401")
	if got := f.server.TokenRequests(); asked != auth.MaxSends || got != 2 {
		t.Errorf("got %d requests and %d for tokens, want %d and 2", asked, got, auth.MaxSends)
	}
}

// A hundred certificates in two vaults, on 20 workers: one attempt with the secret, and one each time the wait is over.
func TestAWrongSecretIsTriedOnceForAllCertificates(t *testing.T) {
	f, clock := newTimed(t, nil)
	setting("AZURE_CLIENT_SECRET", "not-the-secret")(t, f)
	for second := range 60 {
		work := make(chan func(), 100)
		for i := range 100 {
			vault := []string{"shop", "ops"}[i%2]
			secret := urlOf(t, f.server.Vault(vault).SecretURL(fmt.Sprintf("word-%d", i)))
			work <- func() {
				_, err := f.clients.Get(t.Context(), secret, "", time.Now())
				_ = f.wantFailure(t, err, secret, v1alpha1.ReasonAuthenticationFailed, "AADSTS7000215")
			}
		}
		close(work)
		runAll(work, 20)
		if got := f.server.TokenRequests(); second == 29 && got != 1 {
			t.Errorf("got %d token requests in half a minute, want 1", got)
		}
		clock.pass(time.Second)
	}
	got := f.server.TokenRequests()
	t.Logf("%d token requests in the first minute", got)
	if got != 2 {
		t.Errorf("got %d token requests in a minute, want 2", got)
	}
	setting("AZURE_CLIENT_SECRET", clientSecretOf(f.server))(t, f)
	clock.pass(2 * time.Minute)
	_ = f.mustRead(t)
	if _, err := f.read(t, f.server.Vault("ops"), "word"); err != nil {
		t.Error(err)
	}
}

// A refusal of the vault's resource or tenant says nothing about the identity.
func TestAVaultOfAnotherCloudOrTenantOpensNoOtherBreaker(t *testing.T) {
	f, _ := newTimed(t, nil)
	f.env = setEnvironment(t, f.server.Env())
	setting("AZURE_ADDITIONALLY_ALLOWED_TENANTS", "*")(t, f)
	base := f.rechallenge(t, func(challenge string) string {
		return fmt.Sprintf(`Bearer authorization="https://login.example/%s", resource="https://vault.azure.net"`, uuid.NewString())
	})
	for range 5 {
		urls, errs := f.readAll(t, base, 10)
		_ = f.wantFailure(t, errs[0], urls[0], v1alpha1.ReasonAuthenticationFailed, "AADSTS90002")
	}
	_ = f.mustRead(t)
	if got := f.server.TokenRequests(); got > 2 {
		t.Errorf("got %d token requests, want one for each vault", got)
	}
}

func clientSecretOf(s *vaulttest.Server) string {
	for _, variable := range s.Env() {
		if value, ok := strings.CutPrefix(variable, "AZURE_CLIENT_SECRET="); ok {
			return value
		}
	}
	return ""
}

// vaultClients returns the clients of vaults for the agent's own identity.
func (f *fixture) vaultClients(t *testing.T, vaults ...*vaulttest.Vault) (result []*vaultClient) {
	t.Helper()
	for _, vault := range vaults {
		client, ok := f.clients.clients.Get(clientKey{urlOf(t, vault.SecretURL("word")).Authority(), ""})
		if !ok {
			t.Fatalf("no client is kept for %s", vault.SecretURL("word"))
		}
		result = append(result, client)
	}
	return result
}
