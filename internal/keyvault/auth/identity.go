package auth

import (
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// Account is an identity of a cloud, and how it authenticates.
type Account struct {
	// Credential is how the identity authenticates; empty for CredentialDefault.
	Credential Credential
	// ClientID is the identity's client ID, empty for the agent's own.
	ClientID string
	// Authority is the URL of the token authority.
	Authority string
}

// Identity is one account's credential, shared by all vaults. One token is requested at a time; the next caller finds it in the
// credential's cache. It is safe for concurrent use.
type Identity struct {
	account   Account
	create    func() (azcore.TokenCredential, error)
	semaphore chan struct{} // of one: held during a token request

	mu         sync.Mutex
	credential azcore.TokenCredential // nil until it is made, and after it was refused
	transcript *exchange.Transcript   // of the token request under way; nil if there is none
	rejected   [8][sha256.Size]byte   // hashes of the tokens that vaults rejected last
	next       int                    // index in rejected
	failed     lastFailure
}

// lastFailure is how the last attempt to get a token failed, if it did. Until the request that made the attempt has told the
// breakers, they admit others, which must not try again.
type lastFailure struct {
	at      time.Time
	err     error
	pending *exchange.Transcript // of that request; nil once it has told them
}

// NewIdentity returns the identity of an account. It sends no request.
func NewIdentity(account Account, transport policy.Transporter) *Identity {
	return &Identity{
		account: account, semaphore: make(chan struct{}, 1),
		create: func() (azcore.TokenCredential, error) { return newCredential(account, transport) },
	}
}

// Account returns the account.
func (i *Identity) Account() Account { return i.account }

// Ready returns nil if the credential can be made from the settings and files. It sends no request.
func (i *Identity) Ready() error {
	_, err := i.current()
	return err
}

// current returns the credential, and makes it if there is none.
func (i *Identity) current() (azcore.TokenCredential, error) {
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

// reset drops the credential, so that the next attempt makes a new one: what it read (a certificate, a token file) may have been
// renewed since, and its cache may hold a token that a vault rejects.
func (i *Identity) reset() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.credential = nil
}

// reject remembers that a vault rejected a token, so that it is not taken from a cache again.
func (i *Identity) reject(token string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rejected[i.next%len(i.rejected)] = sha256.Sum256([]byte(token))
	i.next++
}

func (i *Identity) isRejected(token string) bool {
	hash := sha256.Sum256([]byte(token))
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, known := range i.rejected {
		if known == hash {
			return true
		}
	}
	return false
}

func (i *Identity) setTranscript(t *exchange.Transcript) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.transcript = t
}

// PendingHost returns the host of the token request under way; empty if there is none.
func (i *Identity) PendingHost() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.transcript == nil {
		return ""
	}
	host, _ := i.transcript.Last()
	return host
}

// failureSince returns the failure of another token request since a time, as a SharedError; nil if there is none. Certificates of
// several vaults wait for one identity, and a wrong secret must not be tried for each of them.
func (i *Identity) failureSince(since time.Time) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.failed.err == nil || i.failed.pending == nil && i.failed.at.Before(since) {
		return nil
	}
	return &exchange.SharedError{Cause: i.failed.err}
}

// record keeps the result of a token request of a request to a vault, nil for success.
func (i *Identity) record(err error, of *exchange.Transcript) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.failed = lastFailure{time.Now(), err, of}
}

// Recorded says that the breakers know how a request ended, which a failed token request of it waits for.
func (i *Identity) Recorded(of *exchange.Transcript) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.failed.pending == of {
		i.failed.at, i.failed.pending = time.Now(), nil
	}
}

// token returns a token, and reports whether it was issued just now and not taken from a cache. Its errors are settled, so that
// all callers that wait for the vault can share them.
func (i *Identity) token(ctx context.Context, options policy.TokenRequestOptions) (token azcore.AccessToken, fresh bool, err error) {
	_, caller := exchange.TranscriptOf(ctx)
	select {
	case i.semaphore <- struct{}{}:
		defer func() { <-i.semaphore }()
	case <-ctx.Done():
		return azcore.AccessToken{}, false, ctx.Err()
	}
	if err := i.failureSince(caller.Began); err != nil {
		return azcore.AccessToken{}, false, err
	}
	ctx, transcript := exchange.WithTranscript(ctx)
	i.setTranscript(transcript)
	defer i.setTranscript(nil)
	token, err = i.request(ctx, options)
	if err == nil && i.isRejected(token.Token) {
		token, err = i.requestUncached(ctx, options)
	}
	if err == nil {
		_, status := transcript.Last()
		i.record(nil, nil)
		return token, status != 0, nil
	}
	if err = exchange.Settle("", transcript, err); !exchange.Outage(err) {
		i.reset()
	}
	if err = markForVault(options, explainMetadata(i.account, transcript, err)); !isForVault(err) && ctx.Err() == nil {
		i.record(err, caller)
	}
	return azcore.AccessToken{}, false, err
}

func (i *Identity) request(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	credential, err := i.current()
	if err != nil {
		return azcore.AccessToken{}, err
	}
	return credential.GetToken(ctx, options)
}

// bypassCache are claims that add nothing to a token. MSAL keeps the tokens of managed identities for the whole process, whichever
// credential requests them. It bypasses its cache if there are claims, which it does not send to the machine's endpoint.
const bypassCache = `{"access_token":{}}`

// requestUncached requests a token that is not in a cache. A new credential has an empty cache, except for managed identities. The
// instance metadata service has a cache of its own that cannot be bypassed: it may return the same token again.
func (i *Identity) requestUncached(ctx context.Context, options policy.TokenRequestOptions) (azcore.AccessToken, error) {
	i.reset()
	if options.Claims == "" && kindOf(i.account, os.Getenv) == CredentialManagedIdentity {
		options.Claims = bypassCache
	}
	return i.request(ctx, options)
}

// markForVault marks a refusal that concerns the vault's resource or tenant and not the identity: for another vault the same
// identity may well get its token.
func markForVault(options policy.TokenRequestOptions, err error) error {
	var refusal *exchange.RefusalError
	if errors.As(err, &refusal) {
		code, home := ParseTokenError(refusal.Body).Code, os.Getenv("AZURE_TENANT_ID")
		refusal.ForVault = code == "invalid_resource" || code == "invalid_scope" ||
			options.TenantID != "" && home != "" && !strings.EqualFold(options.TenantID, home)
	}
	return err
}

func isForVault(err error) bool {
	var refusal *exchange.RefusalError
	return errors.As(err, &refusal) && refusal.ForVault
}
