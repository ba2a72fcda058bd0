package keyvault

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
)

// identity is one account's credential, shared by all vaults. One token is asked for at a time; the next finds it in the
// credential's cache.
type identity struct {
	account account
	create  func() (azcore.TokenCredential, error)
	turn    chan struct{} // holds one while a token is asked for

	mu         sync.Mutex
	credential azcore.TokenCredential // nil until it is made, and after it was refused
	trail      *trail                 // of the token that is asked for; nil while none is
	refused    [8][sha256.Size]byte   // the tokens that vaults refused last, by their hashes
	next       int                    // place in refused
	failed     lastFailure
}

// lastFailure is how the last attempt to get a token failed, if it did.
type lastFailure struct {
	at  time.Time
	err error
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

// forget has the credential made anew: what it read (a certificate, a token's file) may have been renewed since, and its cache
// may hold a token that a vault refuses.
func (i *identity) forget() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.credential = nil
}

// refuse remembers that a vault does not take a token, so that it is not taken from a cache again.
func (i *identity) refuse(token string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.refused[i.next%len(i.refused)] = sha256.Sum256([]byte(token))
	i.next++
}

func (i *identity) isRefused(token string) bool {
	hash := sha256.Sum256([]byte(token))
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, known := range i.refused {
		if known == hash {
			return true
		}
	}
	return false
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

// share returns what another request met since a time, as a closedError, nil if nothing. Certificates of several vaults wait for
// one identity; a wrong secret must not be tried for each of them.
func (i *identity) share(since time.Time) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.failed.err == nil || i.failed.at.Before(since) {
		return nil
	}
	return &closedError{cause: i.failed.err}
}

func (i *identity) conclude(err error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.failed = lastFailure{time.Now(), err}
}

// token returns a token, and reports whether it was made just now and not taken from a cache. Its errors are settled, so that
// everyone who waits for the vault can share them.
func (i *identity) token(ctx context.Context, options policy.TokenRequestOptions) (token azcore.AccessToken, fresh bool, err error) {
	_, asking := trailOf(ctx)
	select {
	case i.turn <- struct{}{}:
		defer func() { <-i.turn }()
	case <-ctx.Done():
		return azcore.AccessToken{}, false, ctx.Err()
	}
	if err := i.share(asking.began); err != nil {
		return azcore.AccessToken{}, false, err
	}
	ctx, trail := withTrail(ctx)
	i.follow(trail)
	defer i.follow(nil)
	token, err = i.ask(ctx, options)
	if err == nil && i.isRefused(token.Token) {
		token, err = i.askAnew(ctx, options)
	}
	if err == nil {
		_, status := trail.last()
		i.conclude(nil)
		return token, status != 0, nil
	}
	if err = settle("", trail, err); !passing(err) {
		i.forget()
	}
	if err = ofVault(options, explainMetadata(i.account, trail, err)); !isOfVault(err) && ctx.Err() == nil {
		i.conclude(err)
	}
	return azcore.AccessToken{}, false, err
}

func (i *identity) ask(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	credential, err := i.ready()
	if err != nil {
		return azcore.AccessToken{}, err
	}
	return credential.GetToken(ctx, options)
}

// pastCache are claims that add nothing to a token. MSAL keeps the tokens of managed identities for the whole process, whatever
// credential asks, and passes its cache over when there are claims, which it does not send on to the machine's endpoint.
const pastCache = `{"access_token":{}}`

// askAnew asks for a token without regard to what caches hold. A new credential begins with an empty one, save for managed
// identities. The instance metadata service has a cache of its own, which nothing passes over: it may give the same token again.
func (i *identity) askAnew(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	i.forget()
	if options.Claims == "" && kindOf(i.account, os.Getenv) == CredentialManagedIdentity {
		options.Claims = pastCache
	}
	return i.ask(ctx, options)
}

// ofVault marks a refusal that is about what the vault asked for, its resource or its tenant, and not about the identity: with
// another vault the same identity may well get its token.
func ofVault(options policy.TokenRequestOptions, err error) error {
	var refusal *refusalError
	if errors.As(err, &refusal) {
		code, home := entraErrorOf(refusal.body).Code, os.Getenv("AZURE_TENANT_ID")
		refusal.ofVault = code == "invalid_resource" || code == "invalid_scope" ||
			options.TenantID != "" && home != "" && !strings.EqualFold(options.TenantID, home)
	}
	return err
}

func isOfVault(err error) bool {
	var refusal *refusalError
	return errors.As(err, &refusal) && refusal.ofVault
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
