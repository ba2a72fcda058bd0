package keyvault

import (
	"strings"
	"testing"
)

// A system-assigned identity is in no setting, so only the vault's message can name it.
func TestTheVaultNamesTheCaller(t *testing.T) {
	const said = "Caller is not authorized.\r\nCaller: appid=11111111-2222-3333-4444-555555555555;oid=66666666-7777-8888-9999-000000000000;iss=https://sts.windows.net/x/"
	setEnvironment(t, nil)
	tests := []struct{ name, message, clientID, want string }{
		{"an identity in no setting", said, "", "client id 11111111-2222-3333-4444-555555555555 (object id 66666666-7777-8888-9999-000000000000)"},
		{"an identity that a setting names", "Caller is not authorized.", "mine", "client id mine"},
		{"neither", "Caller is not authorized.", "", "the agent's default identity"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := callerOf(test.message, request{clientID: test.clientID}.caller()); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestAdviceForA403WithoutInnerCodeCoversRolesAndAccessPolicies(t *testing.T) {
	got := adviceForAccess(request{secret: SecretURL{Host: "shop.vault.azure.net", Name: "word"}}, &vaultError{}, "client id mine")
	for _, want := range []string{`grant "Key Vault Secrets User" on shop.vault.azure.net to client id mine`, `allow "get" for secrets in the access policies of shop.vault.azure.net to client id mine`} {
		if !strings.Contains(got, want) {
			t.Errorf("got %q, want %q in it", got, want)
		}
	}
}
