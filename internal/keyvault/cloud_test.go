package keyvault

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// internet routes requests for Azure's hosts to the test server, and records which hosts were requested.
type internet struct {
	next     http.RoundTripper
	places   func(host string) (scheme, address string)
	resource string // in challenges, instead of the test server's

	mu    sync.Mutex
	asked map[string]int
}

// RoundTrip implements http.RoundTripper.
func (i *internet) RoundTrip(request *http.Request) (*http.Response, error) {
	i.mu.Lock()
	i.asked[request.URL.Hostname()]++
	i.mu.Unlock()
	if scheme, address := i.places(request.URL.Hostname()); address != "" {
		request = request.Clone(request.Context())
		request.URL.Scheme, request.URL.Host = scheme, address
	}
	response, err := i.next.RoundTrip(request)
	if err == nil && i.resource != "" {
		challenge := response.Header.Get("WWW-Authenticate")
		response.Header.Set("WWW-Authenticate", strings.Replace(challenge, "https://vault.azure.net", i.resource, 1))
	}
	return response, err
}

// online puts an internet between the clients and the test server.
func (f *fixture) online(t *testing.T) *internet {
	t.Helper()
	vault, login := strings.TrimPrefix(f.vault.URL(), "https://"), strings.TrimPrefix(strings.TrimSuffix(authorityOf(t, f.server), "/"), "https://")
	metadata := strings.TrimPrefix(f.server.MetadataURL(), "http://")
	net := &internet{next: f.wire.next, asked: map[string]int{}, places: func(host string) (string, string) {
		switch {
		case host == exchange.MetadataHost:
			return "http", metadata
		case strings.HasPrefix(host, "login."):
			return "https", login
		case strings.HasPrefix(host, "shop."):
			return "https", vault
		}
		return "", ""
	}}
	f.wire.next = net
	return net
}

func TestAVaultOfEachCloudIsReadWithATokenOfItsCloud(t *testing.T) {
	tests := []struct{ name, host, authority, resource string }{
		{"public", "shop.vault.azure.net", "login.microsoftonline.com", "https://vault.azure.net"},
		{"China", "shop.vault.azure.cn", "login.chinacloudapi.cn", "https://vault.azure.cn"},
		{"US Government", "shop.vault.usgovcloudapi.net", "login.microsoftonline.us", "https://vault.usgovcloudapi.net"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.env = setEnvironment(t, without(federated(t, f.server), "AZURE_AUTHORITY_HOST"))
			f.clients, f.wire = newClients(t, Options{CABundle: f.server.CAPEM()}) // with the challenge's resource verified
			net := f.online(t)
			net.resource = test.resource
			got, err := f.clients.Get(t.Context(), urlOf(t, "https://"+test.host+"/secrets/word"), "", time.Now())
			if err != nil || string(got.Value) != secretValue {
				t.Fatalf("got %q, error %v", got.Value, err)
			}
			if net.asked[test.authority] == 0 || net.asked[test.host] != 2 {
				t.Errorf("asked %v, want %s, and the vault twice", net.asked, test.authority)
			}
			for host := range net.asked {
				if strings.HasPrefix(host, "login.") && host != test.authority && host != "login.microsoftonline.com" { // instance discovery
					t.Errorf("asked %v, want no authority but %s", net.asked, test.authority)
				}
			}
		})
	}
}

func TestAChallengeForAnotherCloudGetsNoToken(t *testing.T) {
	f := newFixture(t)
	f.clients, f.wire = newClients(t, Options{CABundle: f.server.CAPEM()})
	_ = f.online(t)
	secret := urlOf(t, "https://shop.vault.azure.cn/secrets/word") // whose challenge names the public cloud's resource
	_, err := f.clients.Get(t.Context(), secret, "", time.Now())
	_ = f.wantFailure(t, err, secret, v1alpha1.ReasonAuthenticationFailed, "https://vault.azure.net", "--disable-challenge-resource-verification", "(in the Helm chart: agent.disableChallengeResourceVerification, a list)")
	if got := f.server.TokenRequests(); got != 0 {
		t.Errorf("got %d token requests, want none", got)
	}
}

func TestAVaultOfAnotherTenantIsReadIfTheTenantIsAllowed(t *testing.T) {
	other := uuid.NewString()
	for name, test := range map[string]struct{ allowed, says string }{
		"not named":        {"", "AZURE_ADDITIONALLY_ALLOWED_TENANTS"},
		"named":            {"11111111-2222-3333-4444-555555555555;" + other, "AADSTS90002: Tenant '" + other}, // a token was requested
		"all are accepted": {"*", "AADSTS90002: Tenant '" + other},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.env = setEnvironment(t, federated(t, f.server))
			t.Setenv("AZURE_ADDITIONALLY_ALLOWED_TENANTS", test.allowed)
			base := f.rechallenge(t, func(challenge string) string {
				return strings.Replace(challenge, f.env["AZURE_TENANT_ID"], other, 1)
			})
			urls, errs := f.readAll(t, base, 1)
			_ = f.wantFailure(t, errs[0], urls[0], v1alpha1.ReasonAuthenticationFailed, test.says)
		})
	}
}

// without returns the variables except one.
func without(variables []string, name string) []string {
	var rest []string
	for _, variable := range variables {
		if !strings.HasPrefix(variable, name+"=") {
			rest = append(rest, variable)
		}
	}
	return rest
}
