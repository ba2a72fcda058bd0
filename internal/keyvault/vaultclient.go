package keyvault

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// vaultClient is the SDK's client for one vault and identity. The SDK learns tenant and scope from a 401 to its first request, and
// several first requests at once would each get a 401. So the first request goes alone, and the others wait for it. Until one has
// passed the challenge, they share its result.
type vaultClient struct {
	client   *azsecrets.Client
	identity *auth.Identity

	mu    sync.Mutex
	ready bool
	first chan struct{} // closed when the first request ends; nil if none is under way
	err   error         // of the last first request
}

// call is one operation of the SDK's client.
type call[T any] func(context.Context, *azsecrets.Client) (T, error)

// through makes a call with the client of a vault. Its error is settled; a SharedError is the failure of another request.
func through[T any](ctx context.Context, v *vaultClient, secret SecretURL, ask call[T]) (response T, err error) {
	first, wait := v.begin()
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			return response, ctx.Err()
		}
		if err := v.result(); err != nil {
			return response, &exchange.SharedError{Cause: err}
		}
	}
	authenticated, err := false, errPanicked
	if first {
		defer func() { v.end(authenticated, err) }() // also after a panic of the SDK
	}
	ctx, transcript := exchange.TranscriptOf(ctx)
	response, err = ask(ctx, v.client)
	err = exchange.Settle(secret.Authority(), transcript, err)
	authenticated = pastChallenge(err)
	return response, err
}

var errPanicked = errors.New("the vault's authentication challenge cannot be read")

// begin reports whether the caller's request is the first, and otherwise returns what the caller has to wait for, nil for nothing.
func (v *vaultClient) begin() (first bool, wait chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.ready:
		return false, nil
	case v.first != nil:
		return false, v.first
	}
	v.first = make(chan struct{})
	return true, nil
}

func (v *vaultClient) end(authenticated bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ready, v.err = authenticated, err
	close(v.first)
	v.first = nil
}

// result returns nil if the first request passed the challenge, whatever the response for its own secret was.
func (v *vaultClient) result() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ready {
		return nil
	}
	return v.err
}

// pastChallenge reports whether the vault has accepted a token: its response concerns the secret and has Key Vault's format. A
// vault that throttles or is out of service may have answered before it asked for a token, and a proxy's page can have any
// status. err is settled.
func pastChallenge(err error) bool {
	if err == nil {
		return true
	}
	var refusal *exchange.RefusalError
	if !errors.As(err, &refusal) || refusal.TokenService || vaultErrorOf(refusal.Body).Error.Code == "" {
		return false
	}
	switch refusal.Status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusConflict:
		return true
	}
	return false
}
