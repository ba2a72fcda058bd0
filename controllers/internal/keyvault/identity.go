package keyvault

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// identity is one account's credential, shared by all vaults (azcore.TokenCredential). One token is asked for at a time: the
// SDK takes care of that for each vault, and for service principals, but not for a managed identity that several vaults
// need. Who waited finds the token in the credential's cache.
type identity struct {
	account account
	create  func() (azcore.TokenCredential, error)
	turn    chan struct{} // holds one while a token is asked for

	mu         sync.Mutex
	credential azcore.TokenCredential // nil until it is made, and after it was refused
	trail      *trail                 // of the token that is asked for; nil while none is
}

func newIdentity(a account, transport policy.Transporter) *identity {
	return &identity{
		account: a, turn: make(chan struct{}, 1),
		create: func() (azcore.TokenCredential, error) { return newCredential(a, transport) },
	}
}

// ready makes the credential if there is none, and says why that cannot be done.
func (i *identity) ready() (azcore.TokenCredential, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.credential != nil {
		return i.credential, nil
	}
	credential, err := i.create()
	if err != nil {
		return nil, err
	}
	i.credential = credential
	return credential, nil
}

// forget has the credential made anew: what it read (a certificate, a token's file) may have been renewed since.
func (i *identity) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.credential = nil
}

func (i *identity) follow(t *trail) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.trail = t
}

// asking returns the host that is being asked for a token; empty while none is.
func (i *identity) asking() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.trail == nil {
		return ""
	}
	host, _ := i.trail.last()
	return host
}

// GetToken implements azcore.TokenCredential. Its errors are settled, so that whoever waits for the vault can share them.
func (i *identity) GetToken(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	select {
	case i.turn <- struct{}{}:
		defer func() { <-i.turn }()
	case <-ctx.Done():
		return azcore.AccessToken{}, ctx.Err()
	}
	credential, err := i.ready()
	if err != nil {
		return azcore.AccessToken{}, err
	}
	ctx, trail := withTrail(ctx)
	i.follow(trail)
	defer i.follow(nil)
	token, err := credential.GetToken(ctx, options)
	if err == nil {
		return token, nil
	}
	err = settle("", trail, err)
	if !passing(err) {
		i.forget()
	}
	return azcore.AccessToken{}, explainMetadata(i.account, trail, err)
}

// passing reports whether a failure says nothing about the credential: the other side could not be asked, or not now.
func passing(err error) bool {
	var wire *wireError
	var refusal *refusalError
	if errors.As(err, &refusal) {
		return refusal.status == http.StatusTooManyRequests || refusal.status >= http.StatusInternalServerError
	}
	return errors.As(err, &wire) || errors.Is(err, context.DeadlineExceeded)
}
