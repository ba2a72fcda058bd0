package keyvault

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// secretValue is the value of the secret "word"; no message may hold it.
const secretValue = "the-value-of-the-secret"

// fixture is a Key Vault server with a vault "shop" and a vault "ops", and the Clients under test.
type fixture struct {
	server  *vaulttest.Server
	vault   *vaulttest.Vault
	clients *Clients
	wire    *wiretap
	env     map[string]string
}

// newFixture starts a server whose vaults hold the secret "word", and announces it in azidentity's variables.
func newFixture(t *testing.T) *fixture {
	t.Helper()
	server := vaulttest.ForTest(t, "shop", "ops")
	for _, name := range []string{"shop", "ops"} {
		server.Vault(name).PutRaw("word", "text/plain", secretValue)
	}
	f := &fixture{server: server, vault: server.Vault("shop"), env: setEnvironment(t, server.Env())}
	f.clients, f.wire = newClients(t, f.options())
	return f
}

// setEnvironment sets the variables, and unsets all others that azidentity or a proxy would use.
func setEnvironment(t *testing.T, variables []string) map[string]string {
	t.Helper()
	for _, name := range []string{
		"AZURE_AUTHORITY_HOST", "AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE",
		"AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_USERNAME", "AZURE_TOKEN_CREDENTIALS", "IDENTITY_ENDPOINT", "IDENTITY_HEADER",
		"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "CONTAINER_SANDBOX_MOUNT_POINT", "IMDS_ENDPOINT", "MSI_ENDPOINT",
		"AZURE_ADDITIONALLY_ALLOWED_TENANTS", "AZURE_KUBERNETES_TOKEN_PROXY", "AZURE_KUBERNETES_CA_FILE",
	} {
		t.Setenv(name, "") // so that the test restores it
		if err := os.Unsetenv(name); err != nil {
			t.Fatal(err)
		}
	}
	result := map[string]string{}
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
		result[name] = value
	}
	return result
}

// options trust the server and allow its vaults.
func (f *fixture) options() Options {
	return Options{AllowedHosts: []string{"localhost", ".localhost", "127.0.0.1", ".vault.invalid"}, CABundle: f.server.CAPEM(), DisableChallengeResourceVerification: true}
}

// newClients returns Clients with a wiretap between them and the network.
func newClients(t *testing.T, options Options) (*Clients, *wiretap) {
	t.Helper()
	clients, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	wire := &wiretap{next: clients.transport.Client.Transport}
	clients.transport.Client.Transport = wire
	t.Cleanup(clients.transport.Client.CloseIdleConnections)
	return clients, wire
}

// read sends a new request: it accepts no earlier response.
func (f *fixture) read(t *testing.T, vault *vaulttest.Vault, name string) (Secret, error) {
	t.Helper()
	return f.clients.Get(t.Context(), urlOf(t, vault.SecretURL(name)), "", later())
}

// mustRead reads the secret "word" of the vault "shop".
func (f *fixture) mustRead(t *testing.T) Secret {
	t.Helper()
	secret, err := f.read(t, f.vault, "word")
	if err != nil || string(secret.Value) != secretValue {
		t.Fatalf("got %q, error %v, want %q", secret.Value, err, secretValue)
	}
	return secret
}

func urlOf(t *testing.T, raw string) SecretURL {
	t.Helper()
	secret, err := ParseURL(raw)
	if err != nil {
		t.Fatal(err)
	}
	return secret
}

// wantFailure checks an error's reason and message, which names the vault and the secret and discloses nothing.
func (f *fixture) wantFailure(t *testing.T, err error, secret SecretURL, reason v1alpha1.Reason, says ...string) *Failure {
	t.Helper()
	var failure *Failure
	if !errors.As(err, &failure) {
		t.Fatalf("got %v, want a Failure", err)
	}
	if failure.Reason != reason {
		t.Errorf("got %s (%s), want %s", failure.Reason, failure.Message, reason)
	}
	for _, text := range append(says, secret.Authority(), `"`+secret.Name+`"`) {
		if !strings.Contains(failure.Message, text) {
			t.Errorf("got %q, want %q in it", failure.Message, text)
		}
	}
	for _, text := range append(f.wire.tokens(), f.env["AZURE_CLIENT_SECRET"], secretValue, "<html>", "Sign in to") {
		if text != "" && strings.Contains(failure.Message, text) {
			t.Errorf("got %q, which holds %q", failure.Message, text)
		}
	}
	if strings.ContainsAny(failure.Message, "\r\n") || len(failure.Message) > 700 {
		t.Errorf("got %q, want one line of a status' size", failure.Message)
	}
	return failure
}

// later is a time after everything that has happened: Windows' clock may not advance for up to a millisecond, and a failure
// without a request within that time would be shared.
func later() time.Time {
	for began := time.Now(); ; {
		if now := time.Now(); now.After(began) {
			return now
		}
	}
}
