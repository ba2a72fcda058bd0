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
	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// folder returns a folder of the test's server. Wine 8 lacks the call by which Go removes t.TempDir's.
func folder(s *vaulttest.Server) string { return filepath.Dir(s.CAFile()) }

func certified(_ *testing.T, s *vaulttest.Server) []string {
	return s.EnvCertificate(filepath.Join(folder(s), "principal.pem"))
}

func TestEachCredentialReads(t *testing.T) {
	secret := func(_ *testing.T, s *vaulttest.Server) []string { return s.Env() }
	metadata := func(*testing.T, *vaulttest.Server) []string { return nil }
	own := func(*testing.T, *vaulttest.Server) []string { return []string{"AZURE_CLIENT_ID=" + uuid.NewString()} }
	both := func(t *testing.T, s *vaulttest.Server) []string { return append(federated(t, s), s.Env()...) }
	tests := []struct {
		name       string
		credential auth.Credential
		variables  func(*testing.T, *vaulttest.Server) []string
		clientID   string
		metadata   bool // the instance metadata service gets a request
	}{
		{name: "default: a client secret", variables: secret},
		{name: "default: a client certificate", credential: auth.CredentialDefault, variables: certified},
		{name: "default: a federated token", variables: federated},
		{name: "default: the managed identity that AZURE_CLIENT_ID names", variables: own, metadata: true},
		{name: "default: a certificate's own managed identity", variables: metadata, clientID: uuid.NewString(), metadata: true},
		{name: "default: a certificate's own, federated", variables: both, clientID: uuid.NewString()},
		{name: "environment: a client secret", credential: auth.CredentialEnvironment, variables: both},
		{name: "environment: a client certificate", credential: auth.CredentialEnvironment, variables: certified},
		{name: "workload identity", credential: auth.CredentialWorkloadIdentity, variables: both},
		{name: "workload identity: a certificate's own", credential: auth.CredentialWorkloadIdentity, variables: both, clientID: uuid.NewString()},
		{name: "managed identity: a certificate's own, though there is a token", credential: auth.CredentialManagedIdentity, variables: both, clientID: uuid.NewString(), metadata: true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.env = setEnvironment(t, test.variables(t, f.server))
			options := f.options()
			options.Credential = test.credential
			f.clients, f.wire = newClients(t, options)
			net := f.online(t)
			got, err := f.clients.Get(t.Context(), urlOf(t, f.vault.SecretURL("word")), test.clientID, later())
			if err != nil || string(got.Value) != secretValue {
				t.Fatalf("got %q, error %v", got.Value, err)
			}
			if asked := net.asked[exchange.MetadataHost] > 0; asked != test.metadata {
				t.Errorf("requested %v, want the metadata service requested: %v", net.asked, test.metadata)
			}
			identity := auth.ClientIDOf(test.clientID)
			f.vault.DenyIdentity(identity)
			_, err = f.clients.Get(t.Context(), urlOf(t, f.vault.SecretURL("word")), test.clientID, later())
			_ = f.wantFailure(t, err, urlOf(t, f.vault.SecretURL("word")), v1alpha1.ReasonAccessDenied, "client id "+identity)
		})
	}
}

func TestAServicePrincipalHasOneIdentity(t *testing.T) {
	f := newFixture(t)
	options := f.options()
	options.Credential = auth.CredentialEnvironment
	f.clients, f.wire = newClients(t, options)
	secret := urlOf(t, f.vault.SecretURL("word"))
	_, err := f.clients.Get(t.Context(), secret, "11111111-2222-3333-4444-555555555555", later())
	_ = f.wantFailure(t, err, secret, v1alpha1.ReasonAuthenticationFailed, "authentication.msiClientId", "--credential")
	got, err := f.clients.Get(t.Context(), secret, strings.ToUpper(f.env["AZURE_CLIENT_ID"]), later())
	if err != nil || string(got.Value) != secretValue {
		t.Errorf("its own client id: got %q, error %v", got.Value, err)
	}
}

func TestFiftyFirstRequestsToFiveVaultsTakeOneToken(t *testing.T) {
	const requests = 50
	names := []string{"a", "b", "c", "d", "e"}
	for name, variables := range map[string]func(*testing.T, *vaulttest.Server) []string{
		"a client secret":   func(_ *testing.T, s *vaulttest.Server) []string { return s.Env() },
		"a federated token": federated,
		"a managed identity": func(*testing.T, *vaulttest.Server) []string {
			return []string{"AZURE_CLIENT_ID=" + uuid.NewString()}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := &fixture{server: vaulttest.ForTest(t, names...)}
			f.vault = f.server.Vault("a")
			f.env = setEnvironment(t, append(variables(t, f.server), "AZURE_AUTHORITY_HOST="+authorityOf(t, f.server)))
			f.clients, f.wire = newClients(t, f.options())
			_ = f.online(t)
			work := make(chan func(), requests)
			errs := make([]error, requests)
			for i := range requests {
				vault := f.server.Vault(names[i%len(names)])
				vault.PutRaw(fmt.Sprintf("word-%d", i), "", secretValue)
				secret := urlOf(t, vault.SecretURL(fmt.Sprintf("word-%d", i)))
				work <- func() { _, errs[i] = f.clients.Get(t.Context(), secret, "", time.Now()) }
			}
			close(work)
			runAll(work, requests)
			check(t, errors.Join(errs...))
			if got := f.server.TokenRequests(); got != 1 {
				t.Errorf("got %d token requests, want 1", got)
			}
			for _, name := range names {
				stats := f.server.Vault(name).Stats()
				if stats.Unauthorized != 1 || stats.Connections != 1 || stats.ByCode[http.StatusOK] != requests/len(names) {
					t.Errorf("vault %s: got %+v, want one challenge, one connection, %d responses", name, stats, requests/len(names))
				}
			}
		})
	}
}
