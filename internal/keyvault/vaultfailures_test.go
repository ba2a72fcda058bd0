package keyvault

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

func refuse(kind vaulttest.Refusal) func(*testing.T, *fixture) {
	return func(_ *testing.T, f *fixture) { f.vault.Refuse(kind, -1) }
}

func set(change func(*vaulttest.Vault)) func(*testing.T, *fixture) {
	return func(_ *testing.T, f *fixture) { change(f.vault) }
}

func failWith(status int, code, inner, message string) func(*testing.T, *fixture) {
	return set(func(v *vaulttest.Vault) { v.FailWith(status, code, inner, message, -1) })
}

func deny(_ *testing.T, f *fixture) { f.vault.DenyIdentity(f.env["AZURE_CLIENT_ID"]) }

func validFor(from, to time.Duration) func(*testing.T, *fixture) {
	return func(t *testing.T, f *fixture) {
		check(t, f.vault.SetValidity("word", "", time.Now().Add(from), time.Now().Add(to)))
		f.vault.EnforceValidity(true)
	}
}

// vaultFailures are the responses of a vault, or of what responds instead of it.
var vaultFailures = []failureCase{
	{name: "401, a token of another tenant", arrange: refuse(vaulttest.WrongIssuer), request: true,
		want: v1alpha1.ReasonAuthenticationFailed, class: v1alpha1.ClassWaiting,
		says: []string{"HTTP 401 Unauthorized: AKV10032: Invalid issuer", "use an identity of the vault's tenant"}},
	{name: "401, a token for another service", arrange: refuse(vaulttest.WrongAudience), request: true,
		want: v1alpha1.ReasonAuthenticationFailed, class: v1alpha1.ClassWaiting, says: []string{"AKV10022: Invalid audience", "belong to the same cloud"}},
	{name: "401, a token that has expired", arrange: refuse(vaulttest.TokenExpired), request: true,
		want: v1alpha1.ReasonAuthenticationFailed, class: v1alpha1.ClassWaiting, says: []string{"[TokenExpired]", "check the identity's tenant and cloud, and the node's clock"}},
	{name: "401, a token that has expired by a clock that differs", arrange: set(func(v *vaulttest.Vault) {
		v.Refuse(vaulttest.TokenExpired, -1)
		v.SkewClock(3 * time.Hour)
	}), request: true, want: v1alpha1.ReasonAuthenticationFailed, class: v1alpha1.ClassWaiting,
		says: []string{"[TokenExpired]", "this node's clock is behind the vault's: synchronize it"}},
	{name: "401, a lost token", arrange: refuse(vaulttest.TokenMissing), request: true,
		want: v1alpha1.ReasonAuthenticationFailed, class: v1alpha1.ClassWaiting, says: []string{"AKV10000", "removes the Authorization header"}},
	{name: "403, no role", arrange: deny, request: true, want: v1alpha1.ReasonAccessDenied, class: v1alpha1.ClassWaiting,
		says: []string{"HTTP 403 ForbiddenByRbac: Caller is not authorized", `grant "Key Vault Secrets User" on localhost:`, " to client id ", "(object id "}},
	{name: "403, no role, and a secret whose name sounds like another reason", secret: "expired-secret-and-disabled-secret", arrange: deny,
		request: true, want: v1alpha1.ReasonAccessDenied, class: v1alpha1.ClassWaiting, says: []string{"ForbiddenByRbac"}},
	{name: "403, no access policy", arrange: refuse(vaulttest.AccessPolicy), request: true, want: v1alpha1.ReasonAccessDenied,
		class: v1alpha1.ClassWaiting, says: []string{"HTTP 403 AccessDenied", `allow "get" for secrets in the access policies of localhost:`, "(object id "}},
	{name: "403, a policy for an application and a user", arrange: refuse(vaulttest.OnBehalfOf), request: true, want: v1alpha1.ReasonAccessDenied,
		class: v1alpha1.ClassWaiting, says: []string{"HTTP 403 ForbiddenByPolicy", "names an application in addition to the object id"}},
	{name: "403, the firewall", arrange: refuse(vaulttest.Firewall), request: true, want: v1alpha1.ReasonAccessDeniedByFirewall,
		class: v1alpha1.ClassWaiting, says: []string{"HTTP 403 ForbiddenByFirewall", "allow the address 127.0.0.1, or the nodes' subnet"}},
	{name: "403, no public access", arrange: refuse(vaulttest.PublicAccess), request: true, want: v1alpha1.ReasonAccessDeniedByFirewall,
		class: v1alpha1.ClassWaiting, says: []string{"HTTP 403 ForbiddenByConnection: Public network access is disabled", "private endpoints only"}},
	{name: "403, no public access, in other words", arrange: refuse(vaulttest.PrivateLink), request: true, want: v1alpha1.ReasonAccessDeniedByFirewall,
		class: v1alpha1.ClassWaiting, says: []string{"ForbiddenByConnection: Connection is not an approved private link", "private endpoints only"}},
	{name: "403, disabled", arrange: func(t *testing.T, f *fixture) { check(t, f.vault.Disable("word", "")) }, request: true,
		want: v1alpha1.ReasonSecretDisabled, class: v1alpha1.ClassWaiting, says: []string{"HTTP 403 SecretDisabled", "enable that version", "the installed certificate stays in place"}},
	{name: "403, disabled, spelled innerError", arrange: refuse(vaulttest.DisabledInCamelCase), request: true,
		want: v1alpha1.ReasonSecretDisabled, class: v1alpha1.ClassWaiting, says: []string{"HTTP 403 SecretDisabled", "enable that version"}},
	{name: "403, not yet valid", arrange: validFor(time.Hour, 2*time.Hour), request: true, want: v1alpha1.ReasonSecretNotYetValid,
		class: v1alpha1.ClassWaiting, says: []string{"not yet valid", "wait for the secret's activation date"}},
	{name: "403, expired", arrange: validFor(-2*time.Hour, -time.Hour), request: true, want: v1alpha1.ReasonExpired, class: v1alpha1.ClassWaiting,
		says: []string{"expired secret", "renew the certificate in the vault"}},
	{name: "404, no such secret", secret: "missing", request: true, want: v1alpha1.ReasonSecretNotFound, class: v1alpha1.ClassWaiting,
		says: []string{"HTTP 404 SecretNotFound", "was not found in this key vault", "check the name and version in the URL"}},
	{name: "404, no such version", secret: "word/" + strings.ToLower(version), request: true, want: v1alpha1.ReasonSecretNotFound,
		class: v1alpha1.ClassWaiting, says: []string{"HTTP 404 SecretNotFound", strings.ToLower(version), "check the name and version in the URL"}},
	{name: "404, deleted", arrange: func(t *testing.T, f *fixture) { check(t, f.vault.Delete("word")) }, request: true,
		want: v1alpha1.ReasonSecretNotFound, class: v1alpha1.ClassWaiting, says: []string{"deleted but recoverable state", "recover the certificate"}},
	{name: "409, deleted but recoverable", arrange: refuse(vaulttest.Recoverable), request: true, want: v1alpha1.ReasonSecretNotFound,
		class: v1alpha1.ClassWaiting, says: []string{"HTTP 409 ObjectIsDeletedButRecoverable", "recover the certificate", "the installed certificate stays in place"}},
	{name: "409, being recovered", arrange: refuse(vaulttest.Recovering), request: true, want: v1alpha1.ReasonSecretNotFound,
		class: v1alpha1.ClassWaiting, says: []string{"HTTP 409 ObjectIsBeingRecovered"}},
	{name: "409, two at once", arrange: failWith(http.StatusConflict, "Conflict", "", "There was a conflict."), request: true,
		want: v1alpha1.ReasonVaultUnreachable, class: v1alpha1.ClassTransient, says: []string{"HTTP 409 Conflict", "the agent retries later"}},
	{name: "400, an old cloud", arrange: refuse(vaulttest.OldService), request: true, want: v1alpha1.ReasonBadRequest,
		class: v1alpha1.ClassWaiting, says: []string{"HTTP 400 BadParameter: The specified version", "older than this agent"}},
	{name: "410", arrange: refuse(vaulttest.Gone), request: true, want: v1alpha1.ReasonBadRequest, class: v1alpha1.ClassWaiting,
		says: []string{"HTTP 410 Gone", "check the URL"}},
	{name: "429 with Retry-After", arrange: set(func(v *vaulttest.Vault) { v.Throttle(90*time.Second, true, -1) }), request: true,
		want: v1alpha1.ReasonThrottled, class: v1alpha1.ClassTransient, says: []string{"HTTP 429 Throttled", "the agent retries later"}, retryAfter: 90 * time.Second},
	{name: "429 without", arrange: set(func(v *vaulttest.Vault) { v.Throttle(time.Minute, false, -1) }), request: true,
		want: v1alpha1.ReasonThrottled, class: v1alpha1.ClassTransient, says: []string{"HTTP 429 Throttled"}},
	{name: "500", arrange: failWith(http.StatusInternalServerError, "InternalServerError", "", "Sorry."), request: true,
		want: v1alpha1.ReasonVaultUnreachable, class: v1alpha1.ClassTransient, says: []string{"HTTP 500 InternalServerError: Sorry; the agent retries later"}},
	{name: "503", arrange: failWith(http.StatusServiceUnavailable, "ServiceUnavailable", "", ""), request: true,
		want: v1alpha1.ReasonVaultUnreachable, class: v1alpha1.ClassTransient, says: []string{"HTTP 503 ServiceUnavailable"}},
	{name: "200, a captive portal", arrange: set(func(v *vaulttest.Vault) { v.HTMLPage(-1) }), want: v1alpha1.ReasonVaultUnreachable,
		class: v1alpha1.ClassTransient, says: []string{"not Key Vault's JSON", "a web proxy or a sign-in page"}},
	{name: "302, a captive portal", arrange: set(func(v *vaulttest.Vault) { v.Redirect("https://portal.example/sign-in?from=vault", -1) }),
		want: v1alpha1.ReasonVaultUnreachable, class: v1alpha1.ClassTransient,
		says: []string{"HTTP 302 to portal.example, which is not Key Vault's response", "a web proxy or a sign-in page"}},
	{name: "403, a proxy that blocks the site", arrange: set(func(v *vaulttest.Vault) { v.BlockPage(-1) }), want: v1alpha1.ReasonVaultUnreachable,
		class: v1alpha1.ClassTransient, says: []string{"HTTP 403, which is not Key Vault's response", "a web proxy or a sign-in page"}},
	{name: "a truncated response", arrange: set(func(v *vaulttest.Vault) { v.ResetMidBody(-1) }), want: v1alpha1.ReasonVaultUnreachable,
		class: v1alpha1.ClassTransient, says: []string{"the connection failed", "check the network path"}},
	{name: "a response that is too large", secret: "vast", arrange: set(func(v *vaulttest.Vault) {
		v.PutRaw("vast", "text/plain", strings.Repeat(secretValue, exchange.MaxResponseSize/len(secretValue)+1))
	}), want: v1alpha1.ReasonVaultUnreachable, class: v1alpha1.ClassTransient, says: []string{"larger than 2 MiB", "check what is between"}},
	{name: "a slow response", arrange: set(func(v *vaulttest.Vault) { v.Drip(100 * time.Millisecond) }), within: time.Second,
		want: v1alpha1.ReasonVaultUnreachable, class: v1alpha1.ClassTransient, says: []string{"no response in time", "check the network path"}},
}
