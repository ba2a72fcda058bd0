package support

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTextThatLooksLikeASecretIsRemoved(t *testing.T) {
	const token = "eyJhbGciOiJSUzI1NiIsImtpZCI6IngifQ.eyJzdWIiOiJzeXN0ZW06c2VydmljZWFjY291bnQifQ.c2lnbmF0dXJl"
	for name, test := range map[string]struct{ text, want string }{
		"a JSON Web Token":           {"refused token " + token + " of win-1", "refused token (removed) of win-1"},
		"a bearer token":             {"Authorization: Bearer abcdefghijkl123", "Authorization: Bearer (removed)"},
		"a private key":              {"x -----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY----- y", "x (removed) y"},
		"a private key in one line":  {`{"pem":"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\n"}`, `{"pem":"(removed)\n"}`},
		"a key that was cut":         {"-----BEGIN EC PRIVATE KEY-----\nMHcCAQ", "(removed)"},
		"a PFX in base64":            {"value MII" + strings.Repeat("Ab1+", 60) + "==.", "value (removed)."},
		"a proxy with a password":    {"HTTPS_PROXY http://user:pass@proxy:8080", "HTTPS_PROXY http://(removed)@proxy:8080"},
		"a variable":                 {"AZURE_CLIENT_SECRET=x~7Q and more", "AZURE_CLIENT_SECRET=(removed) and more"},
		"a flag":                     {"--client-secret=x~7Q --api-key=y", "--client-secret=(removed) --api-key=(removed)"},
		"a field of JSON":            {`{"access_token":"abc","expires_in":3600}`, `{"access_token":"(removed)","expires_in":3600}`},
		"a field of JSON in a text":  {`body: "{\"access_token\":\"abc\"}"`, `body: "{\"access_token\":\"(removed)\"}"`},
		"a signature of a URL":       {"https://x.blob.core.windows.net/y?sv=1&sig=ab%2Fc&se=2", "https://x.blob.core.windows.net/y?sv=1&sig=(removed)&se=2"},
		"the name of a secret stays": {`{"vault":"shop","secret":"web","reason":"AccessDenied"}`, `{"vault":"shop","secret":"web","reason":"AccessDenied"}`},
		"a URL of a secret stays":    {"https://shop.vault.azure.net:443/secrets/web", "https://shop.vault.azure.net:443/secrets/web"},
		"a thumbprint stays":         {"thumbprint=8D85BA28C84A0E1D0D3E1E8F5DDE727C80945BAD", "thumbprint=8D85BA28C84A0E1D0D3E1E8F5DDE727C80945BAD"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Text(test.text); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestNamesOfSecrets(t *testing.T) {
	for name, want := range map[string]bool{
		"AZURE_CLIENT_SECRET": true, "AZURE_CLIENT_CERTIFICATE_PASSWORD": true, "MY_TOKEN": true, "STORAGE_ACCOUNT_KEY": true, "password": true, "MY_PASSPHRASE": true, "DB_CREDENTIALS": true, "AZURE_STORAGE_KEY": true, "tls.key": true, "--client-secret": true,
		"AZURE_CLIENT_ID": false, "VAULTPANE_CREDENTIAL": false, "AZURE_FEDERATED_TOKEN_FILE": false, "AZURE_CLIENT_CERTIFICATE_PATH": false, "NODE_NAME": false,
	} {
		if namesSecret(name) != want {
			t.Errorf("%s: got %v, want %v", name, !want, want)
		}
	}
}

func TestFlagsAndAnnotationsThatAreNamedLikeASecret(t *testing.T) {
	got := clean(map[string]any{"template": map[string]any{
		"annotations": map[string]any{"vault.token": "x", "note": "y"},
		"args":        []any{"--token", "x", "--log-level", "1", "--password=x", "y"},
	}})
	want := map[string]any{"template": map[string]any{
		"annotations": map[string]any{"vault.token": removed, "note": "y"},
		"args":        []any{"--token", removed, "--log-level", "1", "--password=" + removed, "y"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
