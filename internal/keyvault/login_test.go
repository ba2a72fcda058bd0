package keyvault

import (
	"fmt"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/google/uuid"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

func setting(name, value string) func(*testing.T, *fixture) {
	return func(t *testing.T, f *fixture) {
		t.Setenv(name, value)
		f.env[name] = value
	}
}

// loginAnswers starts a token service that has one response to every request.
func loginAnswers(status int, contentType, body string) func(*testing.T, *fixture) {
	return func(t *testing.T, f *fixture) {
		server := f.frontend(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body) // the client may have disconnected
		}))
		setting("AZURE_AUTHORITY_HOST", server.URL+"/")(t, f)
	}
}

func TestEachIdentityTypeReadsASecret(t *testing.T) {
	tests := []struct {
		name      string
		variables func(*testing.T, *vaulttest.Server) []string
		clientID  string
	}{
		{"the agent's own, with a client secret", func(_ *testing.T, s *vaulttest.Server) []string { return s.Env() }, ""},
		{"the agent's own, federated", federated, ""},
		{"another, federated", federated, uuid.NewString()},
		{"another, managed", func(_ *testing.T, s *vaulttest.Server) []string { return s.EnvManagedIdentity() }, uuid.NewString()},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.env = setEnvironment(t, test.variables(t, f.server))
			secret := urlOf(t, f.vault.SecretURL("word"))
			got, err := f.clients.Get(t.Context(), secret, test.clientID, later())
			if err != nil || string(got.Value) != secretValue {
				t.Fatalf("got %q, error %v", got.Value, err)
			}
			identity := test.clientID
			if identity == "" {
				identity = f.env["AZURE_CLIENT_ID"]
			}
			f.vault.DenyIdentity(identity)
			_, err = f.clients.Get(t.Context(), secret, test.clientID, later())
			_ = f.wantFailure(t, err, secret, v1alpha1.ReasonAccessDenied, "client id "+identity)
		})
	}
}

// All callers that waited for the first request share its response, whose body can be read only once.
func TestAllCallersGetTheReasonOfAFailedLogin(t *testing.T) {
	f := newFixture(t)
	setting("AZURE_CLIENT_SECRET", "not-the-secret")(t, f)
	urls, errs := f.readAll(t, f.vault.URL(), 20)
	for i, err := range errs {
		_ = f.wantFailure(t, err, urls[i], v1alpha1.ReasonAuthenticationFailed, "AADSTS7000215")
	}
}

func TestAnIdentityThatIsNotConfiguredFails(t *testing.T) {
	f := newFixture(t)
	f.env = setEnvironment(t, []string{"AZURE_FEDERATED_TOKEN_FILE=" + filepath.Join(filepath.Dir(f.server.CAFile()), "missing")})
	secret := urlOf(t, f.vault.SecretURL("word"))
	_, err := f.clients.Get(t.Context(), secret, uuid.NewString(), later())
	_ = f.wantFailure(t, err, secret, v1alpha1.ReasonAuthenticationFailed, "configuring the Azure identity")
	if stats := f.vault.Stats(); stats.Connections != 0 {
		t.Errorf("got %+v, want no connection", stats)
	}
}
