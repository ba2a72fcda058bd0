package keyvault

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// refusal is a way in which a vault answers without a secret.
type refusal struct {
	name       string
	arrange    func(*testing.T, *fixture)
	secret     string // "word" if empty
	want       v1alpha1.Reason
	says       []string
	retryAfter time.Duration
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func deny(_ *testing.T, f *fixture) { f.vault.DenyIdentity(f.env["AZURE_CLIENT_ID"]) }

var refusals = []refusal{
	{name: "no role", arrange: deny, want: v1alpha1.ReasonAccessDenied,
		says: []string{"HTTP 403 ForbiddenByRbac", "Key Vault Secrets User", "client id "}},
	{name: "no role, and a secret whose name sounds like another reason", secret: "expired-and-disabled", arrange: deny,
		want: v1alpha1.ReasonAccessDenied, says: []string{"HTTP 403 ForbiddenByRbac"}},
	{name: "the firewall", arrange: func(_ *testing.T, f *fixture) { f.vault.Firewall(true) },
		want: v1alpha1.ReasonAccessDeniedByFirewall, says: []string{"HTTP 403 ForbiddenByFirewall", "networking settings"}},
	{name: "no such secret", secret: "missing", want: v1alpha1.ReasonSecretNotFound,
		says: []string{"HTTP 404 SecretNotFound", "was not found in this key vault"}},
	{name: "no such version", secret: "word/" + strings.ToLower(version), want: v1alpha1.ReasonSecretNotFound,
		says: []string{"HTTP 404 SecretNotFound", strings.ToLower(version)}},
	{name: "deleted but recoverable", arrange: func(t *testing.T, f *fixture) { check(t, f.vault.Delete("word")) },
		want: v1alpha1.ReasonSecretNotFound, says: []string{"deleted but recoverable state"}},
	{name: "a name that a deleted secret holds", arrange: failWith(409, "Conflict", "ObjectIsDeletedButRecoverable", "It is in a deleted state."),
		want: v1alpha1.ReasonSecretNotFound, says: []string{"HTTP 409 ObjectIsDeletedButRecoverable", "deleted state"}},
	{name: "disabled", arrange: func(t *testing.T, f *fixture) { check(t, f.vault.Disable("word", "")) },
		want: v1alpha1.ReasonSecretDisabled, says: []string{"HTTP 403 SecretDisabled", "enable that version"}},
	{name: "not yet valid", arrange: validFor(time.Hour, 2*time.Hour), want: v1alpha1.ReasonSecretNotYetValid, says: []string{"not yet valid"}},
	{name: "expired", arrange: validFor(-2*time.Hour, -time.Hour), want: v1alpha1.ReasonExpired, says: []string{"expired secret"}},
	{name: "throttled with Retry-After", arrange: func(_ *testing.T, f *fixture) { f.vault.Throttle(90*time.Second, true, -1) },
		want: v1alpha1.ReasonThrottled, says: []string{"HTTP 429 Throttled"}, retryAfter: 90 * time.Second},
	{name: "throttled without", arrange: func(_ *testing.T, f *fixture) { f.vault.Throttle(time.Minute, false, -1) },
		want: v1alpha1.ReasonThrottled, says: []string{"HTTP 429 Throttled"}},
	{name: "a server error", arrange: failWith(500, "InternalServerError", "", "Sorry."), want: v1alpha1.ReasonVaultUnreachable,
		says: []string{"HTTP 500 InternalServerError: Sorry"}},
	{name: "out of service", arrange: failWith(503, "ServiceUnavailable", "", ""), want: v1alpha1.ReasonVaultUnreachable,
		says: []string{"HTTP 503 ServiceUnavailable"}},
	{name: "a token that the vault does not accept", arrange: failWith(401, "Unauthorized", "", "AKV10032: Invalid issuer."),
		want: v1alpha1.ReasonAuthenticationFailed, says: []string{"HTTP 401 Unauthorized: AKV10032"}},
	{name: "a captive portal", arrange: func(_ *testing.T, f *fixture) { f.vault.HTMLPage(-1) }, want: v1alpha1.ReasonVaultUnreachable,
		says: []string{"not Key Vault's JSON", "proxy"}},
	{name: "an answer that breaks off", arrange: func(_ *testing.T, f *fixture) { f.vault.ResetMidBody(-1) },
		want: v1alpha1.ReasonVaultUnreachable, says: []string{"the connection broke off"}},
	{name: "an answer beyond all measure", secret: "vast", arrange: func(_ *testing.T, f *fixture) {
		f.vault.PutRaw("vast", "text/plain", strings.Repeat(secretValue, maxResponseSize/len(secretValue)+1))
	}, want: v1alpha1.ReasonVaultUnreachable, says: []string{"larger than 2 MiB"}},
}

func failWith(status int, code, inner, message string) func(*testing.T, *fixture) {
	return func(_ *testing.T, f *fixture) { f.vault.FailWith(status, code, inner, message, -1) }
}

func validFor(from, to time.Duration) func(*testing.T, *fixture) {
	return func(t *testing.T, f *fixture) {
		check(t, f.vault.SetValidity("word", "", time.Now().Add(from), time.Now().Add(to)))
		f.vault.EnforceValidity(true)
	}
}

func TestARefusalHasItsReason(t *testing.T) {
	for _, test := range refusals {
		t.Run(test.name, func(t *testing.T) { test.run(t, newFixture(t)) })
		t.Run(test.name+", after an answer", func(t *testing.T) {
			f := newFixture(t)
			f.mustRead(t)
			test.run(t, f)
		})
	}
}

func (r refusal) run(t *testing.T, f *fixture) {
	if r.secret == "" {
		r.secret = "word"
	}
	if r.arrange != nil {
		r.arrange(t, f)
	}
	_, err := f.read(t, f.vault, r.secret)
	fault := f.wantFault(t, err, urlOf(t, f.vault.SecretURL(r.secret)), r.want, r.says...)
	if fault.RetryAfter != r.retryAfter {
		t.Errorf("got Retry-After %s, want %s", fault.RetryAfter, r.retryAfter)
	}
	f.vault.Heal()
	if _, err := f.read(t, f.server.Vault("ops"), "word"); err != nil {
		t.Errorf("the other vault: got %v, want an answer", err)
	}
}

func TestASecretOutsideItsValidityIsReadWithItsDates(t *testing.T) {
	f := newFixture(t)
	from := time.Now().Add(time.Hour).Truncate(time.Second)
	check(t, f.vault.SetValidity("word", "", from, from.Add(time.Hour)))
	secret := f.mustRead(t)
	if secret.NotBefore == nil || !secret.NotBefore.Equal(from) || secret.Expires == nil || !secret.Expires.Equal(from.Add(time.Hour)) {
		t.Errorf("got %v to %v, want %s and an hour later", secret.NotBefore, secret.Expires, from)
	}
}

func TestARefusalIsAskedOnce(t *testing.T) {
	f := newFixture(t)
	f.vault.FailWith(http.StatusServiceUnavailable, "ServiceUnavailable", "", "", -1)
	_, _ = f.read(t, f.vault, "word") // its reason has its own test
	if got := f.vault.Stats().ByCode[http.StatusServiceUnavailable]; got != 1 {
		t.Errorf("got %d requests, want 1: when to try again is the reconciler's decision", got)
	}
}
