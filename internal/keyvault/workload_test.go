package keyvault

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// A HostProcess container of containerd 1.6 finds its volumes below the sandbox mount point only.
func TestMountedFilesAreFoundBelowTheSandbox(t *testing.T) {
	for variable, put := range map[string]func(*vaulttest.Server, string) []string{
		"AZURE_FEDERATED_TOKEN_FILE":    (*vaulttest.Server).EnvFederated,
		"AZURE_CLIENT_CERTIFICATE_PATH": (*vaulttest.Server).EnvCertificate,
	} {
		t.Run(variable, func(t *testing.T) {
			f := newFixture(t)
			sandbox := filepath.Join(folder(f.server), "sandbox")
			file := filepath.Join("var", "run", "secrets", "azure", "file")
			check(t, os.MkdirAll(filepath.Join(sandbox, filepath.Dir(file)), 0o755))
			variables := without(put(f.server, filepath.Join(sandbox, file)), variable)
			f.env = setEnvironment(t, append(variables, variable+"="+string(filepath.Separator)+file))
			secret := urlOf(t, f.vault.SecretURL("word"))
			_, err := f.clients.Get(t.Context(), secret, "", later())
			_ = f.wantFailure(t, err, secret, v1alpha1.ReasonAuthenticationFailed, variable, file)
			t.Setenv("CONTAINER_SANDBOX_MOUNT_POINT", sandbox)
			_ = f.mustRead(t)
		})
	}
}

// azidentity reads the file every ten minutes. If a token is renewed early, the old one is refused, and the new one must be read.
func TestARenewedFileIsReadAtTheNextAttempt(t *testing.T) {
	for name, renew := range map[string]func(*testing.T, *vaulttest.Server) []string{"a federated token": federated, "a client certificate": certified} {
		t.Run(name, func(t *testing.T) {
			f, clock := newTimed(t, nil)
			f.env = setEnvironment(t, renew(t, f.server))
			f.server.ForgetCredentials()
			_, err := f.read(t, f.vault, "word")
			_ = f.wantFailure(t, err, urlOf(t, f.vault.SecretURL("word")), v1alpha1.ReasonAuthenticationFailed, "AADSTS700213")
			_ = renew(t, f.server)
			clock.pass(time.Minute) // a refused credential is not retried at once
			_ = f.mustRead(t)
		})
	}
}

// The token endpoint of identity bindings replaces Entra ID's, which gets no request.
func TestTheProxyOfIdentityBindingsIsUsed(t *testing.T) {
	f := newFixture(t)
	variables := append(without(federated(t, f.server), "AZURE_AUTHORITY_HOST"), f.server.EnvTokenProxy()...)
	f.env = setEnvironment(t, variables)
	_ = f.mustRead(t)
	if got := f.server.TokenRequests(); got != 1 {
		t.Errorf("got %d token requests, want 1", got)
	}
}
