package keyvault

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// authorizer puts tokens on the requests to one vault with one identity (policy.Policy). The SDK's own does the same, but keeps a
// token that the vault refuses until it expires, compares the challenge's resource with the vault's port, and reads challenges
// in one spelling only.
type authorizer struct {
	identity *identity
	check    func(resource string) (scope string, err error)

	mu    sync.Mutex
	known challenge // zero until the vault has said what token it wants
	token azcore.AccessToken
}

// maxSends is how often one request is sent: without a token, with one that was kept, and with a new one.
const maxSends = 3

// Renewal of tokens, as azcore does it.
const (
	renewBefore = 5 * time.Minute  // the end of a token
	renewPause  = 30 * time.Second // after a failure, for all vaults of the identity
)

// Do implements policy.Policy. The first request goes without a token and is told which one it needs. A token that is refused is
// dropped; if it was not made for this very request, a new one is asked for, once, and the request is repeated.
func (a *authorizer) Do(request *policy.Request) (*http.Response, error) {
	ctx := request.Raw().Context()
	token, fresh, err := a.current(ctx)
	for sends := 1; err == nil; sends++ {
		request.Raw().Header.Del("Authorization")
		if token != "" {
			request.Raw().Header.Set("Authorization", "Bearer "+token)
		}
		response, failure := request.Next()
		if failure != nil || response.StatusCode != http.StatusUnauthorized || sends == maxSends {
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

// current returns the token for a request, empty before the vault has said which one it wants. A token that could not be renewed
// is used as long as it is good.
func (a *authorizer) current(ctx context.Context) (token string, fresh bool, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	now := time.Now()
	switch {
	case a.known.scope == "":
		return "", false, nil
	case a.token.Token != "" && !due(a.token, now):
		return a.token.Token, false, nil
	}
	good := a.token.Token != "" && now.Before(a.token.ExpiresOn)
	if good && a.identity.share(now.Add(-renewPause)) != nil {
		return a.token.Token, false, nil
	}
	if fresh, err = a.acquire(ctx); err != nil && good {
		return a.token.Token, false, nil
	}
	return a.token.Token, fresh, err
}

// due reports whether a token is to be renewed: when its issuer says so, else some minutes before its end.
func due(token azcore.AccessToken, now time.Time) bool {
	if !token.RefreshOn.IsZero() {
		return token.RefreshOn.Before(now)
	}
	return token.ExpiresOn.Add(-renewBefore).Before(now)
}

// answer returns the token that a 401 to a request with sent (empty for none) asks for; empty where another one is of no use.
func (a *authorizer) answer(ctx context.Context, response *http.Response, sent string, fresh bool) (string, bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if sent != "" && sent != a.token.Token && a.token.Token != "" {
		return a.token.Token, false, nil // another request has a new one already
	}
	if sent != "" {
		a.identity.refuse(sent)
		a.token = azcore.AccessToken{}
	}
	said, err := readChallenge(response.Header, a.known, a.check)
	switch {
	case fresh && sent != "" && (err != nil || said.claims == ""):
		return "", false, nil // the refusal says more than its header
	case err != nil && len(response.Header.Values("WWW-Authenticate")) == 0:
		return "", false, nil // the status code says all that is known
	case err != nil:
		return "", false, &explainedError{text: err.Error()}
	}
	a.known = said
	fresh, err = a.acquire(ctx)
	a.known.claims = "" // they hold for one token
	return a.token.Token, fresh, err
}

// acquire gets a token, and reports whether it was made just now. The caller holds the lock.
func (a *authorizer) acquire(ctx context.Context) (fresh bool, err error) {
	token, fresh, err := a.identity.token(ctx, policy.TokenRequestOptions{
		Scopes: []string{a.known.scope}, TenantID: a.known.tenant, Claims: a.known.claims, EnableCAE: true,
	})
	if err == nil {
		a.token = token
	}
	return fresh, err
}
