package keyvault

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// dials records the addresses of connections.
type dials struct {
	mu    sync.Mutex
	known map[string]bool // expected
	other []string        // were connected to although unexpected
}

// watchDials records each connection of the clients to other addresses than those of the fixture's vault and token service. The
// test fails if there was one.
func (f *fixture) watchDials(t *testing.T, alsoKnown ...string) {
	t.Helper()
	place := func(url string) string { return strings.TrimSuffix(strings.TrimPrefix(url, "https://"), "/") }
	watch := &dials{known: map[string]bool{place(f.vault.URL()): true, place(authorityOf(t, f.server)): true}}
	for _, url := range alsoKnown {
		watch.known[place(url)] = true
	}
	next := f.httpTransport().DialContext
	f.httpTransport().DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if !watch.known[address] {
			watch.mu.Lock()
			defer watch.mu.Unlock()
			watch.other = append(watch.other, address)
			return nil, errors.New("this address must not be requested")
		}
		return next(ctx, network, address)
	}
	t.Cleanup(func() {
		watch.mu.Lock()
		defer watch.mu.Unlock()
		if len(watch.other) > 0 {
			t.Errorf("connected to %q", watch.other)
		}
	})
}

// Each is the URL of one spec. docs/security.md has the table.
func TestAHostileNameGetsNoRequest(t *testing.T) {
	const path = "/secrets/word"
	tests := []struct {
		name, url string
		want      v1alpha1.Reason
	}{
		{"a vault's domain in front of another", "https://evil.vault.azure.net.attacker.example" + path, v1alpha1.ReasonVaultNotAllowed},
		{"a domain that ends alike", "https://evilvault.azure.net" + path, v1alpha1.ReasonVaultNotAllowed},
		{"a vault's domain with a label more", "https://shop.vault.azure.net.azure.net" + path, v1alpha1.ReasonVaultNotAllowed},
		{"the domain itself", "https://vault.azure.net" + path, v1alpha1.ReasonVaultNotAllowed},
		{"Azure's management", "https://management.azure.com" + path, v1alpha1.ReasonVaultNotAllowed},
		{"a dot at the end", "https://shop.vault.azure.net." + path, v1alpha1.ReasonInvalidURL},
		{"an empty label", "https://shop..vault.azure.net" + path, v1alpha1.ReasonInvalidURL},
		{"no label", "https://.vault.azure.net" + path, v1alpha1.ReasonInvalidURL},
		{"letters of another alphabet", "https://shop.v\u0430ult.azure.net" + path, v1alpha1.ReasonInvalidURL},
		{"the same in Punycode", "https://shop.xn--vult-43d.azure.net" + path, v1alpha1.ReasonVaultNotAllowed},
		{"a full-width dot", "https://attacker.example\uff0evault.azure.net" + path, v1alpha1.ReasonInvalidURL},
		{"the Kelvin sign, whose lower case is a k", "https://shop.vault.azure.net\u212a" + path, v1alpha1.ReasonInvalidURL},
		{"an invisible character", "https://attacker.example\u200b.vault.azure.net" + path, v1alpha1.ReasonInvalidURL},
		{"an IPv4 address", "https://10.0.0.1" + path, v1alpha1.ReasonVaultNotAllowed},
		{"an IPv4 address as a number", "https://2130706433" + path, v1alpha1.ReasonVaultNotAllowed},
		{"the metadata service", "https://169.254.169.254" + path, v1alpha1.ReasonVaultNotAllowed},
		{"an IPv6 address", "https://[::1]" + path, v1alpha1.ReasonInvalidURL},
		{"an IPv6 address with a zone", "https://[fe80::1%25eth0]" + path, v1alpha1.ReasonInvalidURL},
		{"an allowed host on another port", "https://127.0.0.2:1" + path, v1alpha1.ReasonVaultNotAllowed},
		{"a port that is none", "https://shop.vault.azure.net:443x" + path, v1alpha1.ReasonInvalidURL},
		{"a port beyond all ports", "https://shop.vault.azure.net:65536" + path, v1alpha1.ReasonInvalidURL},
		{"percent-encoding in the host", "https://attacker.example%2fvault.azure.net" + path, v1alpha1.ReasonInvalidURL},
		{"a percent-encoded dot", "https://attacker%2evault.azure.net" + path, v1alpha1.ReasonInvalidURL},
		{"a user name", "https://shop.vault.azure.net@attacker.example" + path, v1alpha1.ReasonInvalidURL},
		{"a user name and password", "https://shop.vault.azure.net:443@attacker.example" + path, v1alpha1.ReasonInvalidURL},
		{"a backslash", `https://attacker.example\.vault.azure.net` + path, v1alpha1.ReasonInvalidURL},
		{"a fragment in the host", "https://attacker.example#.vault.azure.net" + path, v1alpha1.ReasonInvalidURL},
		{"a query in the host", "https://attacker.example?.vault.azure.net" + path, v1alpha1.ReasonInvalidURL},
		{"a line break", "https://shop.vault.azure.net\r\nHost: attacker.example" + path, v1alpha1.ReasonInvalidURL},
		{"a tab", "https://shop.vault.azure.net\t" + path, v1alpha1.ReasonInvalidURL},
		{"plain HTTP", "http://shop.vault.azure.net" + path, v1alpha1.ReasonInvalidURL},
		{"another scheme", "file://shop.vault.azure.net" + path, v1alpha1.ReasonInvalidURL},
		{"no scheme", "//shop.vault.azure.net" + path, v1alpha1.ReasonInvalidURL},
		{"a path that leads out", "https://shop.vault.azure.net/secrets/../keys/word", v1alpha1.ReasonInvalidURL},
		{"an encoded path", "https://shop.vault.azure.net/secrets/word%2f..%2f..", v1alpha1.ReasonInvalidURL},
		{"a managed HSM", "https://shop.managedhsm.azure.net" + path, v1alpha1.ReasonVaultNotAllowed},
		{"a private endpoint's name", "https://shop.privatelink.vaultcore.azure.net" + path, v1alpha1.ReasonVaultNotAllowed},
	}
	f := newFixture(t)
	f.clients, f.wire = newClients(t, Options{CABundle: f.server.CAPEM(), AllowedHosts: []string{"127.0.0.2:8443"}})
	f.watchDials(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			secret, err := ParseURL(test.url)
			if err == nil {
				_, err = f.clients.Get(t.Context(), secret, "", later())
			}
			var failure *Failure
			if !errors.As(err, &failure) || failure.Reason != test.want {
				t.Fatalf("got %v, want %s", err, test.want)
			}
			if strings.ContainsAny(failure.Message, "\r\n\t\u200b") {
				t.Errorf("got %q, want one line of what is visible", failure.Message)
			}
		})
	}
	if got := f.server.TokenRequests(); got != 0 {
		t.Errorf("got %d token requests, want none", got)
	}
}

func TestAHostOfAzureThatIsNotAVaultGetsUsefulAdvice(t *testing.T) {
	for host, says := range map[string][]string{
		"shop.managedhsm.azure.net":                      {"managed HSM", "keys only", "https://<vault>.vault.azure.net/secrets/word"},
		"shop.managedhsm.usgovcloudapi.net":              {"managed HSM", "https://<vault>.vault.usgovcloudapi.net/secrets/word"},
		"shop.privatelink.vaultcore.azure.net":           {"https://shop.vault.azure.net/secrets/word", "privatelink.vaultcore.azure.net"},
		"shop.vaultcore.azure.net":                       {"https://shop.vault.azure.net/secrets/word"},
		"shop.privatelink.vaultcore.azure.cn":            {"https://shop.vault.azure.cn/secrets/word"},
		"shop.privatelink.vaultcore.usgovcloudapi.net":   {"https://shop.vault.usgovcloudapi.net/secrets/word"},
		"shop.privatelink.vaultcore.azure.net.example.x": {"--allowed-vault-hosts"},
	} {
		list, err := NewAllowList(nil)
		check(t, err)
		err = list.Check(urlOf(t, "https://"+host+"/secrets/word"))
		for _, text := range says {
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%s: got %v, want %q in it", host, err, text)
			}
		}
	}
}

// Each is the challenge of a hostile vault that is on the allow-list. None gets a token, and no other host gets a request.
func TestAHostileChallengeGetsNoToken(t *testing.T) {
	const tenant = "the-identitys-own" // so that the tenant is not the reason why no token is requested
	authority := `authorization="https://login.microsoftonline.com/` + tenant + `"`
	resource := func(text string) string { return "Bearer " + authority + `, resource="` + text + `"` }
	challenges := map[string]string{
		"Azure's management":                resource("https://management.azure.com"),
		"Azure's management with a slash":   resource("https://management.azure.com/"),
		"Azure's management as a scope":     "Bearer " + authority + `, scope="https://management.azure.com/.default"`,
		"the directory":                     resource("https://graph.microsoft.com"),
		"the old directory":                 resource("https://graph.windows.net"),
		"storage":                           resource("https://storage.azure.com"),
		"one storage account":               resource("https://shop.blob.core.windows.net"),
		"databases":                         resource("https://database.windows.net"),
		"management in China":               resource("https://management.chinacloudapi.cn"),
		"management of the government":      resource("https://management.usgovcloudapi.net"),
		"a user name":                       resource("https://management.azure.com@vault.azure.net"),
		"a user name that looks like Azure": resource("https://vault.azure.net@management.azure.com"),
		"a user name and a password":        resource("https://a:b@vault.azure.net"),
		"a fragment":                        resource("https://management.azure.com#.vault.azure.net"),
		"an empty fragment":                 resource("https://vault.azure.net#"),
		"a query":                           resource("https://management.azure.com?x=.vault.azure.net"),
		"an empty query":                    resource("https://vault.azure.net?"),
		"a path":                            resource("https://management.azure.com/vault.azure.net"),
		"a path behind Key Vault's":         resource("https://vault.azure.net/../management.azure.com"),
		"percent-encoding":                  resource("https://management.azure.com%2fvault.azure.net"),
		"a backslash":                       resource(`https://management.azure.com\@vault.azure.net`),
		"a dot at the end":                  resource("https://vault.azure.net."),
		"letters of another alphabet":       resource("https://v\u0430ult.azure.net"),
		"the Kelvin sign":                   resource("https://\u212av.example"),
		"plain HTTP":                        resource("http://vault.azure.net"),
		"an application id":                 resource("cfa8b339-82a2-471a-a3c9-0fc0be7a4093"),
		"an application's URI":              resource("api://management"),
		"a top-level domain":                resource("https://localhost.net"),
		"an attacker's application":         resource("https://attacker.example"),
		"two scopes":                        "Bearer " + authority + `, scope="https://vault.azure.net/.default https://management.azure.com/.default"`,
		"scope before resource":             "Bearer " + authority + `, resource="https://vault.azure.net", scope="https://management.azure.com/.default"`,
		"management first, Key Vault after": resource("https://management.azure.com") + `, resource="https://vault.azure.net"`,
		"a tenant with a path trick":        `Bearer authorization="https://login.microsoftonline.com/..%2f..", resource="https://vault.azure.net"`,
		"a tenant with a query trick":       `Bearer authorization="https://login.microsoftonline.com/a%3fb", resource="https://vault.azure.net"`,
		"another scheme":                    `Basic realm="vault"`,
		"no resource":                       "Bearer " + authority,
		"an empty resource":                 resource(""),
		"nothing but the scheme":            "Bearer",
		"quotes without an end":             `Bearer resource="https://vault.azure.net`,
	}
	for name, challenge := range challenges {
		for setting, relaxed := range map[string]bool{"checked": false, "not checked": true} {
			t.Run(name+", "+setting, func(t *testing.T) {
				f := newFixture(t)
				base := f.rechallenge(t, func(string) string { return strings.Replace(challenge, tenant, f.env["AZURE_TENANT_ID"], 1) })
				options := f.options()
				options.DisableChallengeResourceVerification = relaxed
				roots := f.httpTransport().TLSClientConfig.RootCAs
				f.clients, f.wire = newClients(t, options)
				f.httpTransport().TLSClientConfig.RootCAs = roots
				f.watchDials(t, base)
				urls, errs := f.readAll(t, base, 2)
				for i, err := range errs {
					failure := f.wantFailure(t, err, urls[i], v1alpha1.ReasonAuthenticationFailed)
					if strings.Contains(failure.Message, "--disable-challenge-resource-verification") && strings.Contains(failure.Message, "management.azure.com") {
						t.Errorf("got %q, which describes how to disclose such a token", failure.Message)
					}
				}
				if got := f.server.TokenRequests(); got != 0 || len(f.wire.tokens()) != 0 {
					t.Errorf("got %d token requests and sent %d tokens, want none", got, len(f.wire.tokens()))
				}
			})
		}
	}
}

// The authority that a challenge names gets no request: the identity has its own.
func TestAChallengeThatNamesAnotherAuthorityChangesNothing(t *testing.T) {
	f := newFixture(t)
	base := f.rechallenge(t, func(string) string {
		return `Bearer authorization="https://login.attacker.example/` + f.env["AZURE_TENANT_ID"] + `", resource="https://vault.azure.net"`
	})
	f.watchDials(t, base)
	urls, errs := f.readAll(t, base, 1)
	_ = f.wantFailure(t, errs[0], urls[0], v1alpha1.ReasonSecretNotFound)
	if got := f.server.TokenRequests(); got != 1 {
		t.Errorf("got %d token requests to the identity's own authority, want 1", got)
	}
}

// A redirect would take the token to another host, so none is followed, with or without a token, by vault or token service.
func TestARedirectIsNotFollowed(t *testing.T) {
	targets := []string{"https://attacker.example/", "//attacker.example/", "http://169.254.169.254/metadata", "https://shop.vault.azure.net.attacker.example/secrets/word", "/secrets/other"}
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, target := range targets {
			for _, with := range []string{"without a token", "with a token"} {
				t.Run(fmt.Sprintf("%d to %s %s", status, target, with), func(t *testing.T) {
					f := newFixture(t)
					asked := 0
					base := f.gateway(t, func(w http.ResponseWriter, r *http.Request) bool {
						asked++
						if with == "with a token" && r.Header.Get("Authorization") == "" {
							return false
						}
						w.Header().Set("Location", target)
						w.WriteHeader(status)
						return true
					})
					f.watchDials(t, base)
					urls, errs := f.readAll(t, base, 1)
					_ = f.wantFailure(t, errs[0], urls[0], v1alpha1.ReasonVaultUnreachable, fmt.Sprintf("HTTP %d", status), "not Key Vault's response")
					if want := map[string]int{"without a token": 1, "with a token": 2}[with]; asked != want {
						t.Errorf("the gateway got %d requests, want %d", asked, want)
					}
				})
			}
		}
	}
	t.Run("of the token service", func(t *testing.T) {
		f := newFixture(t)
		login := f.frontend(t, http.RedirectHandler("https://attacker.example/token", http.StatusTemporaryRedirect))
		setting("AZURE_AUTHORITY_HOST", login.URL+"/")(t, f)
		f.watchDials(t, login.URL)
		_, err := f.read(t, f.vault, "word")
		_ = f.wantFailure(t, err, urlOf(t, f.vault.SecretURL("word")), v1alpha1.ReasonAuthenticationFailed, "HTTP 307 at https://127.0.0.1:")
	})
}

// An Azure name on another port, as emulators use it, needs no exemption.
func TestThePortOfAVaultIsNotPartOfItsResource(t *testing.T) {
	rule, err := newResourceRule([]string{"relaxed.example:8443", ".test", "kv.internal=https://vault.my.cloud/a8d77b1c"})
	check(t, err)
	tests := []struct {
		name, vault, resource string
		want                  string // the scope; empty for a refusal
	}{
		{"Key Vault's", "shop.vault.azure.net", "https://vault.azure.net", "https://vault.azure.net/.default"},
		{"with a slash", "shop.vault.azure.net", "https://vault.azure.net/", "https://vault.azure.net/.default"},
		{"as a scope", "shop.vault.azure.net", "https://vault.azure.net/.default", "https://vault.azure.net/.default"},
		{"in capitals", "shop.vault.azure.net", "HTTPS://Vault.Azure.Net", "https://vault.azure.net/.default"},
		{"a vault on another port", "emulator.vault.azure.net:18444", "https://vault.azure.net", "https://vault.azure.net/.default"},
		{"a private vault on a port", "vault.example:18444", "https://vault.example", "https://vault.example/.default"},
		{"a private vault's resource with its port", "shop.vault.example:18444", "https://vault.example:18444", "https://vault.example:18444/.default"},
		{"a private cloud's parent domain", "shop.vault.local.azurestack.external", "https://vault.local.azurestack.external/a8d77b1c-0000", "https://vault.local.azurestack.external/a8d77b1c-0000/.default"},
		{"another of Microsoft's clouds", "shop.vault.microsoftazure.de", "https://vault.microsoftazure.de", "https://vault.microsoftazure.de/.default"},
		{"another cloud's", "shop.vault.azure.cn", "https://vault.azure.net", ""},
		{"the domain above", "shop.vault.azure.net", "https://azure.net", ""},
		{"a top-level domain", "shop.vault.azure.net", "https://net", ""},
		{"a top-level domain of a private vault", "shop.example", "https://example", ""},
		{"Key Vault's for a host that is not exempt", "kv.internal", "https://vault.azure.net", ""},
		{"Key Vault's for an exempt one", "relaxed.example:8443", "https://vault.azure.net", "https://vault.azure.net/.default"},
		{"for the same host on another port", "relaxed.example:8444", "https://vault.azure.net", ""},
		{"for an exempt domain", "any.test:1", "https://vault.usgovcloudapi.net", "https://vault.usgovcloudapi.net/.default"},
		{"management for an exempt host", "any.test:1", "https://management.azure.com", ""},
		{"another vault's for an exempt host", "any.test:1", "https://vault.my.cloud/a8d77b1c", ""},
		{"the resource that a host is exempt for", "kv.internal", "https://vault.my.cloud/a8d77b1c", "https://vault.my.cloud/a8d77b1c/.default"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, err := rule.scopeFor(urlOf(t, "https://"+test.vault+"/secrets/word"), test.resource)
			if got != test.want || (err == nil) != (test.want != "") {
				t.Errorf("got %q, error %v, want %q", got, err, test.want)
			}
		})
	}
	for _, wrong := range []string{"kv.internal=https://management.azure.com", "kv.internal=https://vault.azure.net", "kv.internal=vault", "=https://a.b", "a b"} {
		if err := CheckChallengeHosts([]string{wrong}); err == nil {
			t.Errorf("%s is accepted", wrong)
		}
	}
}
