package keyvault

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
)

// vaultClient is the SDK's client for one vault and identity. The SDK learns tenant and scope from a 401 to its first
// request; when several are first at once each gets its own 401. So the first request goes alone and the others wait for
// it: until one has got past the challenge, they share its fate.
type vaultClient struct {
	client     *azsecrets.Client
	authorizer *authorizer

	mu      sync.Mutex
	ready   bool
	attempt chan struct{} // closed when the attempt under way ends
	err     error         // of the last attempt
}

// account returns whose tokens the vault is shown.
func (v *vaultClient) account() account { return v.authorizer.identity.account }

// get reads a secret. Its error is settled; a closedError is what another request met.
func (v *vaultClient) get(ctx context.Context, secret SecretURL) (azsecrets.GetSecretResponse, error) {
	first, wait := v.enter()
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			return azsecrets.GetSecretResponse{}, ctx.Err()
		}
		if err := v.outcome(); err != nil {
			return azsecrets.GetSecretResponse{}, &closedError{cause: err}
		}
	}
	authenticated, err := false, errPanicked
	if first {
		defer func() { v.leave(authenticated, err) }() // also when the SDK panics
	}
	ctx, trail := trailOf(ctx)
	var response azsecrets.GetSecretResponse
	response, err = v.client.GetSecret(ctx, secret.Name, secret.Version, nil)
	err = settle(secret.Authority(), trail, err)
	authenticated = pastChallenge(err)
	return response, err
}

var errPanicked = errors.New("the vault's authentication challenge cannot be read")

// enter says whether the caller goes first, or what it has to wait for.
func (v *vaultClient) enter() (first bool, wait chan struct{}) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.ready:
		return false, nil
	case v.attempt != nil:
		return false, v.attempt
	}
	v.attempt = make(chan struct{})
	return true, nil
}

func (v *vaultClient) leave(authenticated bool, err error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.ready, v.err = authenticated, err
	close(v.attempt)
	v.attempt = nil
}

// outcome returns nil when the attempt waited for got past the challenge, whatever it answered for its own secret.
func (v *vaultClient) outcome() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.ready {
		return nil
	}
	return v.err
}

// pastChallenge reports whether the vault has accepted a token: it answered about the secret, in its own words. A vault that
// throttles or is out of service may have said so before it asked for one, and so may a proxy's page with any status. err is
// settled.
func pastChallenge(err error) bool {
	if err == nil {
		return true
	}
	var refusal *refusalError
	if !errors.As(err, &refusal) || refusal.login || vaultErrorOf(refusal.body).Error.Code == "" {
		return false
	}
	switch refusal.status {
	case http.StatusForbidden, http.StatusNotFound, http.StatusConflict:
		return true
	}
	return false
}
