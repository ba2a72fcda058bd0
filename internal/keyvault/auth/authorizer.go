package auth

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// Authorizer adds tokens to the requests to one vault with one identity (policy.Policy). The SDK's own policy does the same, but
// keeps a token that the vault refuses until it expires, compares the challenge's resource with the vault's port, and reads
// challenges in one spelling only.
type Authorizer struct {
	identity *Identity
	check    func(resource string) (scope string, err error)
	scoped   bool // challenges change neither scope nor tenant

	mu    sync.Mutex
	known challenge // zero until the vault has sent a challenge
	token azcore.AccessToken
}

// NewAuthorizer returns an authorizer for an identity. check returns the scope of the resource that a vault's challenge names, or
// an error if the vault must not have a token for it.
func NewAuthorizer(identity *Identity, check func(resource string) (scope string, err error)) *Authorizer {
	return &Authorizer{identity: identity, check: check}
}

// NewScopedAuthorizer returns an authorizer for a service whose scope is known, such as Event Grid. Each request has a token of that
// scope and of the identity's own tenant, whatever the service's challenge says.
func NewScopedAuthorizer(identity *Identity, scope string) *Authorizer {
	return &Authorizer{
		identity: identity, known: challenge{scope: scope}, scoped: true,
		check: func(string) (string, error) { return scope, nil },
	}
}

// MaxSends is how often one request is sent at most: without a token, with a kept token, and with a new one.
const MaxSends = 3

// Renewal of tokens, with the times of azcore.
const (
	renewBefore = 5 * time.Minute  // the expiry of a token
	renewPause  = 30 * time.Second // after a failure, for all vaults of the identity
)

// Do implements policy.Policy. The first request has no token; the vault's challenge says which one it needs. A token that the
// vault refuses is dropped. Unless it was made for this request, a new one is requested, once, and the request is repeated.
func (a *Authorizer) Do(request *policy.Request) (*http.Response, error) {
	ctx := request.Raw().Context()
	token, fresh, err := a.current(ctx)
	for sends := 1; err == nil; sends++ {
		request.Raw().Header.Del("Authorization")
		if token != "" {
			request.Raw().Header.Set("Authorization", "Bearer "+token)
		}
		if err := request.RewindBody(); err != nil { // a request that is repeated has been read
			return nil, err
		}
		response, failure := request.Next()
		if failure != nil || response.StatusCode != http.StatusUnauthorized || sends == MaxSends {
			return response, failure
		}
		_ = response.Body.Close() // the SDK has read it
		sent := token
		if token, fresh, err = a.answer(ctx, response, sent, fresh); err == nil && token == "" {
			return response, nil
		}
	}
	return nil, err
}

// current returns the token for a request, empty until the vault has sent a challenge. A token that cannot be renewed is used
// until it expires.
func (a *Authorizer) current(ctx context.Context) (token string, fresh bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	switch {
	case a.known.scope == "":
		return "", false, nil
	case a.token.Token != "" && !renewalDue(a.token, now):
		return a.token.Token, false, nil
	}
	valid := a.token.Token != "" && now.Before(a.token.ExpiresOn)
	if valid && a.identity.failureSince(now.Add(-renewPause)) != nil {
		return a.token.Token, false, nil
	}
	if fresh, err = a.acquire(ctx); err != nil && valid {
		return a.token.Token, false, nil
	}
	return a.token.Token, fresh, err
}

// renewalDue reports whether a token is to be renewed: at the time that its issuer names, else some minutes before its expiry.
func renewalDue(token azcore.AccessToken, now time.Time) bool {
	if !token.RefreshOn.IsZero() {
		return token.RefreshOn.Before(now)
	}
	return token.ExpiresOn.Add(-renewBefore).Before(now)
}

// answer returns the token that a 401 asks for, after a request with the token sent (empty for none). It returns an empty token if
// another one would not help.
func (a *Authorizer) answer(ctx context.Context, response *http.Response, sent string, fresh bool) (string, bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if sent != "" && sent != a.token.Token && a.token.Token != "" {
		return a.token.Token, false, nil // another request has a new one already
	}
	if sent != "" {
		a.identity.reject(sent)
		a.token = azcore.AccessToken{}
	}
	received, err := readChallenge(response.Header, a.known, a.check)
	switch {
	case fresh && sent != "" && (err != nil || received.claims == ""):
		return "", false, nil // the body of the refusal is more specific than its header
	case err != nil && len(response.Header.Values("WWW-Authenticate")) == 0:
		return "", false, nil // the status code is all that is known
	case err != nil:
		return "", false, &exchange.ExplainedError{Text: err.Error()}
	}
	if a.scoped {
		received.tenant = ""
	}
	a.known = received
	fresh, err = a.acquire(ctx)
	a.known.claims = "" // they hold for one token
	return a.token.Token, fresh, err
}

// acquire gets a token, and reports whether it was issued just now. The caller holds the lock.
func (a *Authorizer) acquire(ctx context.Context) (fresh bool, err error) {
	token, fresh, err := a.identity.token(ctx, policy.TokenRequestOptions{
		Scopes: []string{a.known.scope}, TenantID: a.known.tenant, Claims: a.known.claims, EnableCAE: true,
	})
	if err == nil {
		a.token = token
	}
	return fresh, err
}
