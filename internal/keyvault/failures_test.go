package keyvault

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/breaker"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// failureCase is a way in which reading a secret fails, and the expected message. The lists of the vault, of the network, and
// of the token service are one table.
type failureCase struct {
	name     string
	arrange  func(*testing.T, *fixture)
	secret   string // or a whole URL; "word" if empty
	clientID string // of the certificate's own identity; empty for the agent's
	within   time.Duration
	want     v1alpha1.Reason
	class    v1alpha1.Class
	says     []string // what is wrong, and what to do
	// request is true if the response is Azure's, so that the failure has a request ID.
	request    bool
	retryAfter time.Duration
}

func allFailures() []failureCase {
	return slices.Concat(vaultFailures, networkFailures, loginFailures(), identityFailures)
}

func TestAFailureHasItsReason(t *testing.T) {
	for _, one := range allFailures() {
		t.Run(one.name, func(t *testing.T) { one.run(t, newFixture(t)) })
	}
}

// The first response of a vault is its challenge. A later failure has the same reason.
func TestAFailureHasItsReasonAfterASuccessToo(t *testing.T) {
	for _, one := range vaultFailures {
		t.Run(one.name, func(t *testing.T) {
			f := newFixture(t)
			f.mustRead(t)
			one.run(t, f)
		})
	}
}

// azureRequest is what a request id looks like.
var azureRequest = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

func (c failureCase) run(t *testing.T, f *fixture) {
	if c.arrange != nil {
		c.arrange(t, f)
	}
	secret := c.url(t, f)
	failure := f.wantFailure(t, c.read(t, f, secret), secret, c.want, append(c.says, "as "+f.identity(c.clientID)+": ")...)
	if got := failure.Reason.Class(); got != c.class {
		t.Errorf("got class %s, want %s", got, c.class)
	}
	if failure.RetryAfter != c.retryAfter {
		t.Errorf("got Retry-After %s, want %s", failure.RetryAfter, c.retryAfter)
	}
	if got := azureRequest.MatchString(failure.RequestID); got != c.request {
		t.Errorf("got %q, want a request id: %t", failure.RequestID, c.request)
	}
	if c.request && strings.Contains(failure.Message, failure.RequestID) {
		t.Errorf("got %q, which changes with each request", failure.Message)
	}
	f.clients.targets = breaker.NewTargets(0, 0) // so that the next request is sent at once
	again := f.wantFailure(t, c.read(t, f, secret), secret, c.want)
	if again.Message != failure.Message {
		t.Errorf("got %q and then %q, want the same text for the same failure", failure.Message, again.Message)
	}
	t.Logf("%s (%s): %s", failure.Reason, c.class, failure.Message)
}

func (c failureCase) url(t *testing.T, f *fixture) SecretURL {
	t.Helper()
	switch {
	case c.secret == "":
		return urlOf(t, f.vault.SecretURL("word"))
	case strings.HasPrefix(c.secret, "https://"):
		return urlOf(t, strings.Replace(c.secret, ":PORT", f.port(), 1))
	}
	return urlOf(t, f.vault.SecretURL(c.secret))
}

// read reads with the product's timeout, or a shorter one.
func (c failureCase) read(t *testing.T, f *fixture, secret SecretURL) error {
	t.Helper()
	if c.within == 0 {
		_, err := f.clients.Get(t.Context(), secret, c.clientID, time.Now())
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), c.within)
	defer cancel()
	_, err := f.clients.fetch(ctx, request{secret: secret, clientID: c.clientID})
	return err
}

// port is that of the fixture's vault, with its colon.
func (f *fixture) port() string {
	url := f.vault.URL()
	return url[strings.LastIndex(url, ":"):]
}

// identity is the name of an identity in messages.
func (f *fixture) identity(clientID string) string {
	if clientID == "" {
		clientID = f.env["AZURE_CLIENT_ID"]
	}
	if clientID == "" {
		return "the agent's default identity"
	}
	return fmt.Sprintf("client id %s", clientID)
}

// Each reason has a command to diagnose it.
func TestEveryReasonHasACommandInTheDocumentation(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "azure.md"))
	check(t, err)
	_, table, _ := strings.Cut(string(page), "## Troubleshooting")
	for _, one := range allFailures() {
		if !strings.Contains(table, "`"+string(one.want)+"`") {
			t.Errorf("%s (%s) is not in docs/azure.md", one.want, one.name)
		}
	}
	for _, kind := range vaulttest.LoginRefusals {
		if code := fmt.Sprint(int(kind)); !strings.Contains(table, code) {
			t.Errorf("AADSTS%s is not in docs/azure.md", code)
		}
	}
}
