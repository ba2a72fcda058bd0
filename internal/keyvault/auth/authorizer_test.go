package auth

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// setEnvironment sets the variables, and clears those that would choose another credential.
func setEnvironment(t *testing.T, variables []string) (authority string) {
	t.Helper()
	for _, name := range []string{"AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE", "AZURE_TOKEN_CREDENTIALS", "HTTPS_PROXY", "https_proxy"} {
		t.Setenv(name, "")
	}
	for _, variable := range variables {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
		if name == "AZURE_AUTHORITY_HOST" {
			authority = value
		}
	}
	return authority
}

// A token is renewed before it expires. Renewal fails if the secret was renewed meanwhile, and must not fail again for each
// vault and request while the old token is valid.
func TestATokenThatCannotBeRenewedIsUsedUntilItExpires(t *testing.T) {
	server := vaulttest.ForTest(t, "shop", "ops")
	authority := setEnvironment(t, server.Env())
	transport, err := exchange.NewTransport(server.CAPEM(), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.Client.CloseIdleConnections)
	identity := NewIdentity(Account{Authority: authority}, transport)
	authorizers, clients := map[string]*Authorizer{}, map[string]*azsecrets.Client{}
	for _, name := range []string{"shop", "ops"} {
		server.Vault(name).PutRaw("word", "text/plain", "value")
		authorizers[name] = NewAuthorizer(identity, func(resource string) (string, error) { return resource + "/.default", nil })
		options := exchange.ClientOptions(transport)
		options.PerRetryPolicies = []policy.Policy{authorizers[name]}
		if clients[name], err = azsecrets.NewClient(server.Vault(name).URL(), nil, &azsecrets.ClientOptions{ClientOptions: options}); err != nil {
			t.Fatal(err)
		}
	}
	read := func(name string) error {
		ctx, transcript := exchange.WithTranscript(t.Context())
		_, err := clients[name].GetSecret(ctx, "word", "", nil)
		return exchange.Settle(server.Vault(name).URL(), transcript, err)
	}
	mustRead := func(name string) {
		t.Helper()
		if err := read(name); err != nil {
			t.Fatal(err)
		}
	}
	mustRead("shop")
	mustRead("ops")

	t.Setenv("AZURE_CLIENT_SECRET", "not-the-secret")
	for _, authorizer := range authorizers {
		authorizer.token.RefreshOn = time.Now().Add(-time.Minute)
	}
	identity.reset() // and the token in its cache with it
	before := server.TokenRequests()
	for range 10 {
		mustRead("shop")
		mustRead("ops")
	}
	if got := server.TokenRequests() - before; got != 1 {
		t.Errorf("got %d token requests in a moment, want 1", got)
	}

	for _, authorizer := range authorizers {
		authorizer.token.ExpiresOn = time.Now().Add(-time.Second)
	}
	var refusal *exchange.RefusalError
	if err := read("shop"); !errors.As(err, &refusal) || !refusal.TokenService {
		t.Fatalf("got %v, want a refusal of the token service", err)
	}
	if text, _ := ExplainRefusal(refusal); !strings.Contains(text, "AADSTS7000215") {
		t.Errorf("got %q, want AADSTS7000215 in it", text)
	}
}
