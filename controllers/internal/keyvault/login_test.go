package keyvault

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

func TestALoginFailureHasItsReason(t *testing.T) {
	tests := []struct {
		name       string
		arrange    func(*testing.T, *fixture)
		want       v1alpha1.Reason
		says       []string
		retryAfter time.Duration
	}{
		{name: "a wrong client secret", arrange: setting("AZURE_CLIENT_SECRET", "not-the-secret"),
			want: v1alpha1.ReasonAuthenticationFailed, says: []string{"invalid_client", "AADSTS7000215", "client id "}},
		{name: "an unknown client id", arrange: setting("AZURE_CLIENT_ID", "11111111-2222-3333-4444-555555555555"),
			want: v1alpha1.ReasonAuthenticationFailed, says: []string{"unauthorized_client", "client id 11111111-2222-3333-4444-555555555555"}},
		{name: "another tenant", arrange: setting("AZURE_TENANT_ID", "11111111-2222-3333-4444-555555555555"),
			want: v1alpha1.ReasonAuthenticationFailed, says: []string{"isn't configured to acquire tokens for tenant"}},
		{name: "a vault that asks for tokens for another domain", arrange: func(t *testing.T, f *fixture) {
			options := f.options()
			options.DisableChallengeResourceVerification = false
			f.clients, f.wire = newClients(t, options)
		}, want: v1alpha1.ReasonAuthenticationFailed, says: []string{"challenge resource", "--disable-challenge-resource-verification"}},
		{name: "a token service that does not listen", arrange: func(t *testing.T, f *fixture) {
			other := vaulttest.ForTest(t)
			authority := authorityOf(t, other)
			check(t, other.Close())
			setting("AZURE_AUTHORITY_HOST", authority)(t, f)
		}, want: v1alpha1.ReasonVaultUnreachable, says: []string{"token service 127.0.0.1:", "no connection: "}},
		{name: "a token service whose name does not resolve",
			arrange: setting("AZURE_AUTHORITY_HOST", "https://"+strings.Repeat("x", 64)+".example/"),
			want:    v1alpha1.ReasonVaultUnreachable, says: []string{"does not resolve", "AZURE_AUTHORITY_HOST"}},
		{name: "a token service that nobody trusts", arrange: func(t *testing.T, f *fixture) {
			setting("AZURE_AUTHORITY_HOST", authorityOf(t, vaulttest.ForTest(t)))(t, f)
		}, want: v1alpha1.ReasonTLSFailure, says: []string{"token service 127.0.0.1:", "unknown authority"}},
		{name: "a token service that is out of service", arrange: loginAnswers(http.StatusServiceUnavailable, "text/plain", "Sorry."),
			want: v1alpha1.ReasonVaultUnreachable, says: []string{"HTTP 503"}, retryAfter: 7 * time.Second},
		{name: "a token service that throttles", arrange: loginAnswers(http.StatusTooManyRequests, "application/json", `{"error":"temporarily_unavailable"}`),
			want: v1alpha1.ReasonThrottled, says: []string{"HTTP 429"}, retryAfter: 7 * time.Second},
		{name: "a captive portal before the token service",
			arrange: loginAnswers(http.StatusOK, "text/html", "<html>Sign in to this network</html>"),
			want:    v1alpha1.ReasonVaultUnreachable, says: []string{"token service 127.0.0.1:", "sign-in page"}},
		{name: "a refusal in another form", arrange: loginAnswers(http.StatusForbidden, "text/html", "<html>No</html>"),
			want: v1alpha1.ReasonAuthenticationFailed, says: []string{"HTTP 403", "check the client id"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			test.arrange(t, f)
			_, err := f.read(t, f.vault, "word")
			fault := f.wantFault(t, err, urlOf(t, f.vault.SecretURL("word")), test.want, test.says...)
			if fault.RetryAfter != test.retryAfter {
				t.Errorf("got Retry-After %s, want %s", fault.RetryAfter, test.retryAfter)
			}
			if got := f.vault.Stats().Requests; got != 0 {
				t.Errorf("got %d authenticated requests, want none", got)
			}
		})
	}
}

// authorityOf returns the URL of a server's token service.
func authorityOf(t *testing.T, server *vaulttest.Server) string {
	t.Helper()
	for _, variable := range server.Env() {
		if value, ok := strings.CutPrefix(variable, "AZURE_AUTHORITY_HOST="); ok {
			return value
		}
	}
	t.Fatal("the server names no token service")
	return ""
}

func setting(name, value string) func(*testing.T, *fixture) {
	return func(t *testing.T, f *fixture) {
		t.Setenv(name, value)
		f.env[name] = value
	}
}

// loginAnswers puts a token service in place that has one answer to everything.
func loginAnswers(status int, contentType, body string) func(*testing.T, *fixture) {
	return func(t *testing.T, f *fixture) {
		server := f.frontend(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", contentType)
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body) // the client has gone
		}))
		setting("AZURE_AUTHORITY_HOST", server.URL+"/")(t, f)
	}
}

func TestEachKindOfIdentityReads(t *testing.T) {
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
			got, err := f.clients.Get(t.Context(), secret, test.clientID, time.Now())
			if err != nil || string(got.Value) != secretValue {
				t.Fatalf("got %q, error %v", got.Value, err)
			}
			identity := test.clientID
			if identity == "" {
				identity = f.env["AZURE_CLIENT_ID"]
			}
			f.vault.DenyIdentity(identity)
			_, err = f.clients.Get(t.Context(), secret, test.clientID, time.Now())
			_ = f.wantFault(t, err, secret, v1alpha1.ReasonAccessDenied, "client id "+identity)
		})
	}
}

func federated(t *testing.T, s *vaulttest.Server) []string {
	return s.EnvFederated(filepath.Join(filepath.Dir(s.CAFile()), "token"))
}

// Whoever waited for the first request shares its answer, which can be read only once.
func TestEveryoneIsToldWhyTheLoginFailed(t *testing.T) {
	f := newFixture(t)
	setting("AZURE_CLIENT_SECRET", "not-the-secret")(t, f)
	urls, errs := f.readAll(t, f.vault.URL(), 20)
	for i, err := range errs {
		_ = f.wantFault(t, err, urls[i], v1alpha1.ReasonAuthenticationFailed, "AADSTS7000215")
	}
}

func TestAttempts(t *testing.T) {
	tests := []struct{ name, text, want string }{
		{"one credential", "WorkloadIdentityCredential: no file.\nraw message was: <html>", "WorkloadIdentityCredential: no file"},
		{"a chain, without what its members quote", "DefaultAzureCredential: failed.\nAttempted credentials:\n\tA: json.\n\t\traw: <html>\n\tB: no id.",
			"A: json; B: no id"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := attempts(errors.New(test.text)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAnIdentityThatIsNotConfiguredFails(t *testing.T) {
	f := newFixture(t)
	f.env = setEnvironment(t, []string{"AZURE_FEDERATED_TOKEN_FILE=" + filepath.Join(filepath.Dir(f.server.CAFile()), "missing")})
	secret := urlOf(t, f.vault.SecretURL("word"))
	_, err := f.clients.Get(t.Context(), secret, uuid.NewString(), time.Now())
	_ = f.wantFault(t, err, secret, v1alpha1.ReasonAuthenticationFailed, "configuring the Azure identity")
	if stats := f.vault.Stats(); stats.Connections != 0 {
		t.Errorf("got %+v, want no connection", stats)
	}
}
