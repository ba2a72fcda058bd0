package keyvault

import (
	"errors"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

const version = "0123456789abcdef0123456789ABCDEF"

func TestParseURL(t *testing.T) {
	tests := []struct {
		name, raw, want string
	}{
		{"a secret's newest version", "https://myvault.vault.azure.net/secrets/web", "https://myvault.vault.azure.net/secrets/web"},
		{"as the extension's documentation of 2017 writes it", "https://myvault.vault.azure.net:443/secrets/mycertificate", "https://myvault.vault.azure.net/secrets/mycertificate"},
		{"pinned to a version", "https://v.vault.azure.net/secrets/web/" + version, "https://v.vault.azure.net/secrets/web/" + strings.ToLower(version)},
		{"a host in capitals", "https://MyVault.Vault.Azure.Net/secrets/Web", "https://myvault.vault.azure.net/secrets/Web"},
		{"any port", "https://localhost:8443/secrets/web", "https://localhost:8443/secrets/web"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := ParseURL(test.raw)
			if err != nil || got.String() != test.want {
				t.Errorf("got %s, error %v, want %s", got, err, test.want)
			}
		})
	}
}

func TestParseURLRefuses(t *testing.T) {
	tests := []struct {
		name, raw, says string
	}{
		{"nothing", "", "https://"},
		{"plain HTTP", "http://v.vault.azure.net/secrets/web", "https://"},
		{"no host", "https:///secrets/web", "no valid host name"},
		{"one slash, as seen in a sample", "https:/testkv.vault.azure.net/secrets/web", "no valid host name"},
		{"a bare host", "https://v.vault.azure.net", "path must be"},
		{"the certificate's own path", "https://v.vault.azure.net/certificates/web", "private key"},
		{"a key's path", "https://v.vault.azure.net/keys/web", "private key"},
		{"no name", "https://v.vault.azure.net/secrets/", "path must be"},
		{"an underscore in the name", "https://v.vault.azure.net/secrets/we_b", "path must be"},
		{"an escaped name", "https://v.vault.azure.net/secrets/we%62", "path must be"},
		{"a name that is too long", "https://v.vault.azure.net/secrets/" + strings.Repeat("a", 128), "path must be"},
		{"a version that is none", "https://v.vault.azure.net/secrets/web/latest", "32 hexadecimal"},
		{"a slash at the end", "https://v.vault.azure.net/secrets/web/", "32 hexadecimal"},
		{"too much path", "https://v.vault.azure.net/secrets/web/" + version + "/x", "path must be"},
		{"a query", "https://v.vault.azure.net/secrets/web?api-version=7.4", "query"},
		{"a fragment", "https://v.vault.azure.net/secrets/web#top", "fragment"},
		{"a port that is none", "https://v.vault.azure.net:99999/secrets/web", "port"},
		{"a blank", "https://v.vault.azure.net/secrets/web ", "path must be"},
		{"a placeholder", "https://<vault>.vault.azure.net/secrets/web", "cannot be used"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := ParseURL(test.raw)
			var failure *Failure
			if !errors.As(err, &failure) || failure.Reason != v1alpha1.ReasonInvalidURL || !strings.Contains(failure.Message, test.says) {
				t.Errorf("got %v, want InvalidURL that says %q", err, test.says)
			}
		})
	}
}

func TestParseURLDoesNotRepeatAPassword(t *testing.T) {
	_, err := ParseURL("https://user:hunter2@v.vault.azure.net/secrets/web")
	if err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v, want an error without the password", err)
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("https://v.vault.azure.net:443/secrets/web/" + version)
	f.Add("https://[::1]:8443/secrets/web")
	f.Fuzz(func(t *testing.T, raw string) {
		secret, err := ParseURL(raw)
		if err != nil {
			return
		}
		again, err := ParseURL(secret.String())
		if err != nil || again != secret {
			t.Errorf("%q gives %+v, whose own form gives %+v, error %v", raw, secret, again, err)
		}
	})
}

func TestAllowList(t *testing.T) {
	list, err := NewAllowList([]string{"localhost:8443", "Vault.Internal", ".vault.azurestack.local", " ", "proxy.example:443"})
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name, url string
		allowed   bool
	}{
		{"public cloud", "https://v.vault.azure.net/secrets/a", true},
		{"public cloud on a port", "https://v.vault.azure.net:8443/secrets/a", true},
		{"China", "https://v.vault.azure.cn/secrets/a", true},
		{"US Government", "https://v.vault.usgovcloudapi.net/secrets/a", true},
		{"an extra host on its port", "https://localhost:8443/secrets/a", true},
		{"the same host on another port", "https://localhost:9443/secrets/a", false},
		{"an extra host on any port", "https://vault.internal:1234/secrets/a", true},
		{"an extra suffix", "https://v.vault.azurestack.local/secrets/a", true},
		{"an extra host on 443", "https://proxy.example/secrets/a", true},
		{"another host", "https://evil.example/secrets/a", false},
		{"another host that ends like a vault", "https://evilvault.azure.net/secrets/a", false},
		{"a vault's domain in front", "https://v.vault.azure.net.evil.example/secrets/a", false},
		{"the suffix alone", "https://vault.azure.net/secrets/a", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			secret, err := ParseURL(test.url)
			if err != nil {
				t.Fatal(err)
			}
			err = list.Check(secret)
			var failure *Failure
			if test.allowed != (err == nil) || (err != nil && (!errors.As(err, &failure) || failure.Reason != v1alpha1.ReasonVaultNotAllowed)) {
				t.Errorf("got %v, want allowed %v", err, test.allowed)
			}
		})
	}
	for _, entry := range []string{
		"https://localhost", "*.example", "a b", "host/path", "host:", "host:0", "host:99999", "host:https", ":8443", ".", "host.",
		"..example", ".example:8443", "[::1]:8443", "my_host",
	} {
		if _, err := NewAllowList([]string{entry}); err == nil || !strings.Contains(err.Error(), entry) {
			t.Errorf("entry %q: got %v, want an error that names it", entry, err)
		}
	}
	if _, err := NewAllowList([]string{"https://localhost"}); err == nil || !strings.Contains(err.Error(), "without scheme") {
		t.Errorf("a scheme: got %v, want an error that says so", err)
	}
}
