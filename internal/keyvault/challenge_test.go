package keyvault

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// readAll reads n secrets of the vault at base at once, and returns their URLs and errors.
func (f *fixture) readAll(t *testing.T, base string, n int) ([]SecretURL, []error) {
	t.Helper()
	work, urls, errs := make(chan func(), n), make([]SecretURL, n), make([]error, n)
	for i := range n {
		urls[i] = urlOf(t, fmt.Sprintf("%s/secrets/word-%d", base, i))
		work <- func() { _, errs[i] = f.clients.Get(t.Context(), urls[i], "", time.Time{}) }
	}
	close(work)
	runAll(work, n)
	return urls, errs
}

// gateway is a server in front of the vault "shop". A request that before handles, by returning true, does not reach the vault.
func (f *fixture) gateway(t *testing.T, before func(http.ResponseWriter, *http.Request) bool) (base string) {
	t.Helper()
	behind, err := url.Parse(f.vault.URL())
	check(t, err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.Transport = f.wire.next
	return f.frontend(t, http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if !before(w, request) {
			proxy.ServeHTTP(w, request)
		}
	})).URL
}

// A gateway that is out of service, or a proxy that blocks, responds before the vault has sent a challenge.
func TestAResponseBeforeTheChallengeDoesNotCountAsAuthentication(t *testing.T) {
	for _, status := range []int{http.StatusServiceUnavailable, http.StatusForbidden, http.StatusNotFound} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			f := newFixture(t)
			unhealthy := make(chan bool, 1)
			unhealthy <- true
			base := f.gateway(t, func(w http.ResponseWriter, _ *http.Request) bool {
				select {
				case <-unhealthy:
					w.WriteHeader(status)
					return true
				default:
					return false
				}
			})
			urls, errs := f.readAll(t, base, 1)
			_ = f.wantFailure(t, errs[0], urls[0], v1alpha1.ReasonVaultUnreachable, fmt.Sprintf("HTTP %d", status))
			urls, errs = f.readAll(t, base, 50)
			for i := 1; i < len(errs); i++ { // the first one's failure is still shared
				_ = f.wantFailure(t, errs[i], urls[i], v1alpha1.ReasonSecretNotFound)
			}
			if got := f.vault.Stats().Unauthorized; got != 1 {
				t.Errorf("got %d responses 401, want 1", got)
			}
		})
	}
}

func TestAForeignResponseHasItsReason(t *testing.T) {
	tests := []struct {
		name   string
		status int
		header [2]string
		body   string
		want   v1alpha1.Reason
		says   string
	}{
		{"a challenge without a resource", http.StatusUnauthorized, [2]string{"WWW-Authenticate", `Bearer realm="x"`}, "",
			v1alpha1.ReasonAuthenticationFailed, "WWW-Authenticate"},
		{"401 without a challenge", http.StatusUnauthorized, [2]string{"Content-Type", "text/html"}, "<html>",
			v1alpha1.ReasonAuthenticationFailed, "HTTP 401"},
		{"a redirect to a sign-in page", http.StatusFound, [2]string{"Location", "https://127.0.0.1:1/sign-in"}, "",
			v1alpha1.ReasonVaultUnreachable, "HTTP 302 to 127.0.0.1:1"},
		{"other JSON", http.StatusOK, [2]string{"Content-Type", "application/json"}, `{"hello":"` + secretValue + `"}`,
			v1alpha1.ReasonVaultUnreachable, "no secret's id and value"},
		{"a version that could not stand in a mark", http.StatusOK, [2]string{"Content-Type", "application/json"},
			`{"id":"https://v/secrets/word/1 uid=another","value":"` + secretValue + `"}`,
			v1alpha1.ReasonVaultUnreachable, "no secret's id and value"},
		{"JSON with another type", http.StatusOK, [2]string{"Content-Type", "application/json"}, `{"value":["` + secretValue + `"]}`,
			v1alpha1.ReasonVaultUnreachable, "not Key Vault's JSON"},
		{"nothing", http.StatusOK, [2]string{"Content-Type", "application/json"}, "",
			v1alpha1.ReasonVaultUnreachable, "no secret's id and value"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			base := f.gateway(t, func(w http.ResponseWriter, _ *http.Request) bool {
				w.Header().Set(test.header[0], test.header[1])
				w.WriteHeader(test.status)
				_, _ = fmt.Fprint(w, test.body) // the client may have disconnected
				return true
			})
			urls, errs := f.readAll(t, base, 4)
			for i, err := range errs {
				_ = f.wantFailure(t, err, urls[i], test.want, test.says)
			}
			if got := f.server.TokenRequests(); got != 0 {
				t.Errorf("got %d token requests, want none", got)
			}
		})
	}
}

// rechallenge is a server in front of the vault "shop" that changes its challenge.
func (f *fixture) rechallenge(t *testing.T, change func(string) string) (base string) {
	t.Helper()
	behind, err := url.Parse(f.vault.URL())
	check(t, err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.Transport = f.wire.next
	proxy.ModifyResponse = func(response *http.Response) error {
		if challenge := response.Header.Get("WWW-Authenticate"); challenge != "" {
			response.Header.Set("WWW-Authenticate", change(challenge))
		}
		return nil
	}
	return f.frontend(t, proxy).URL
}

// RFC 9110, section 11.2, allows the space after a comma and does not require it.
func TestAChallengeWithoutSpacesIsRead(t *testing.T) {
	f := newFixture(t)
	base := f.rechallenge(t, func(challenge string) string { return strings.ReplaceAll(challenge, `", `, `",`) })
	urls, errs := f.readAll(t, base, 1)
	_ = f.wantFailure(t, errs[0], urls[0], v1alpha1.ReasonSecretNotFound)
}

// Without a tenant the SDK would not keep the challenge: each request would get a 401.
func TestAChallengeWithoutATenantUsesTheAgentsOwn(t *testing.T) {
	for name, path := range map[string]string{"no path": "", "an empty path": "/"} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			base := f.rechallenge(t, func(challenge string) string {
				return strings.Replace(challenge, "/"+f.env["AZURE_TENANT_ID"], path, 1)
			})
			for range 3 {
				urls, errs := f.readAll(t, base, 20)
				for i, err := range errs {
					_ = f.wantFailure(t, err, urls[i], v1alpha1.ReasonSecretNotFound)
				}
			}
			if got := f.vault.Stats().Unauthorized; got != 1 {
				t.Errorf("got %d responses 401, want 1", got)
			}
		})
	}
}

// A managed identity has one tenant, and needs none in the challenge.
func TestAChallengeWithoutAnyTenantIsEnoughForAManagedIdentity(t *testing.T) {
	f := newFixture(t)
	f.env = setEnvironment(t, f.server.EnvManagedIdentity())
	base := f.rechallenge(t, func(string) string { return `Bearer authorization="https://login", resource="https://vault.azure.net"` })
	urls, errs := f.readAll(t, base, 4)
	for i, err := range errs {
		_ = f.wantFailure(t, err, urls[i], v1alpha1.ReasonSecretNotFound)
	}
}

func TestOthersWaitForTheFirstRequestWithATimeout(t *testing.T) {
	f := newFixture(t)
	held, release := f.wire.hold()
	defer release()
	first := make(chan error, 1)
	go func() {
		_, err := f.clients.fetch(t.Context(), request{secret: urlOf(t, f.vault.SecretURL("word"))})
		first <- err
	}()
	<-held
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	second := urlOf(t, f.vault.SecretURL("other"))
	_, err := f.clients.fetch(ctx, request{secret: second})
	_ = f.wantFailure(t, err, second, v1alpha1.ReasonVaultUnreachable, "no response in time")
	release()
	check(t, <-first)
}
