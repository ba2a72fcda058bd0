package keyvault

import (
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

func TestAFailureOfTheMetadataServiceIsExplained(t *testing.T) {
	const wrong = "11111111-2222-3333-4444-555555555555"
	tests := []struct {
		name     string
		own      bool
		assigned []string
		clientID string
		says     []string
	}{
		{"several identities and none named", false, []string{uuid.NewString(), uuid.NewString()}, "", []string{"no identity of its own, or has several and none is named", "authentication.msiClientId", "AZURE_CLIENT_ID"}},
		{"no identity", false, nil, "", []string{"no identity of its own", "authentication.msiClientId", "AZURE_CLIENT_ID"}},
		{"an identity that the machine does not have", true, []string{uuid.NewString()}, wrong, []string{"client id " + wrong, "is not assigned to this machine", "authentication.msiClientId"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.env = setEnvironment(t, nil)
			net := f.online(t)
			f.server.SetManagedIdentities(test.own, test.assigned...)
			secret := urlOf(t, f.vault.SecretURL("word"))
			_, err := f.clients.Get(t.Context(), secret, test.clientID, later())
			_ = f.wantFailure(t, err, secret, v1alpha1.ReasonAuthenticationFailed, test.says...)
			if net.asked[exchange.MetadataHost] != 1 {
				t.Errorf("sent %d requests to the metadata service, want once", net.asked[exchange.MetadataHost])
			}
		})
	}
}

// ownOnce exists because MSAL keeps the token of the machine's own identity and a resource for the whole process, and another
// server would not accept it. No other test uses this resource.
var ownOnce sync.Once

func TestTheMachinesOwnIdentityReads(t *testing.T) {
	ownOnce.Do(func() {
		f := newFixture(t)
		f.env = setEnvironment(t, nil)
		net := f.online(t)
		net.resource = "https://vault.azure.cn"
		_ = f.mustRead(t)
		if net.asked[exchange.MetadataHost] != 1 || f.server.TokenRequests() != 1 {
			t.Errorf("requested %v, want one request to the metadata service", net.asked)
		}
	})
}

func TestAMissingManagedIdentityIsReportedAtOnce(t *testing.T) {
	f := newFixture(t)
	f.env = setEnvironment(t, nil)
	f.online(t).places = func(host string) (string, string) {
		if host == exchange.MetadataHost {
			return "http", "127.0.0.1:1" // without a listener
		}
		return "", ""
	}
	secret := urlOf(t, f.vault.SecretURL("word"))
	_, err := f.clients.Get(t.Context(), secret, "", later())
	_ = f.wantFailure(t, err, secret, v1alpha1.ReasonAuthenticationFailed, "instance metadata service", "managed identities", "--credential")
}

func TestArc(t *testing.T) {
	f := newFixture(t)
	dir := filepath.Join(folder(f.server), "AzureConnectedMachineAgent", "Tokens")
	check(t, os.MkdirAll(dir, 0o755))
	t.Setenv("ProgramData", folder(f.server))
	f.env = setEnvironment(t, append(f.server.EnvArc(dir), "AZURE_CLIENT_ID="+uuid.NewString()))
	secret := urlOf(t, f.vault.SecretURL("word"))
	got, err := f.clients.Get(t.Context(), secret, "", later())
	if runtime.GOOS == "windows" {
		if err != nil || string(got.Value) != secretValue {
			t.Errorf("got %q, error %v", got.Value, err)
		}
		return
	}
	// On other platforms the test cannot write to Arc's folder, and a key file in another folder is not read.
	_ = f.wantFailure(t, err, secret, v1alpha1.ReasonAuthenticationFailed, "invalid file path")
}
