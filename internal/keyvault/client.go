package keyvault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/go-logr/logr"

	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
	"github.com/vaultpane/vaultpane/internal/keyvault/breaker"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	"github.com/vaultpane/vaultpane/internal/keyvault/recent"
)

// Clients reads secrets from any number of vaults. It keeps one client per vault and identity, for the thousand used last: with it
// the token, the vault's challenge and the connection, so that a vault answers 401 at most once to each identity.
type Clients struct {
	options   Options
	allowed   AllowList
	resources resourceRule
	transport *exchange.Transport
	responses responseCache
	targets   *breaker.Targets
	timeout   time.Duration // callerTimeout, but for tests

	mu         sync.Mutex
	identities recent.Cache[auth.Account, *auth.Identity]
	clients    recent.Cache[clientKey, *vaultClient]
}

type clientKey struct{ authority, clientID string }

// callerTimeout is how long a caller waits for a response. Key Vault responds in milliseconds. A vault that is silent for some
// seconds is taken to be down: from then on one request probes it, and no other caller waits.
const callerTimeout = 5 * time.Second

// New returns Clients. It fails for an invalid option and sends no request.
func New(options Options) (*Clients, error) {
	allowed, err := NewAllowList(options.AllowedHosts)
	if err != nil {
		return nil, err
	}
	resources, err := options.resourceRule()
	if err != nil {
		return nil, err
	}
	transport, err := exchange.NewTransport(options.CABundle, options.Observe)
	if err != nil {
		return nil, err
	}
	if err := options.complete(); err != nil {
		return nil, err
	}
	return &Clients{
		options: options, allowed: allowed, resources: resources, transport: transport,
		targets: breaker.NewTargets(options.Workers, options.RequestsPerSecond), timeout: callerTimeout,
		identities: recent.New[auth.Account, *auth.Identity](recent.Vaults), clients: recent.New[clientKey, *vaultClient](recent.Vaults),
	}, nil
}

// Get reads a secret with the identity of a client ID, empty for the agent's own. The response to a request that began at since
// or later is shared by all callers that request the same secret with the same identity; the zero time accepts any response of
// the last seconds. Errors are Failures, or Deferred if the request was not sent because of the limits; the context's own error
// is returned if it ends first. A vault that does not respond holds up its caller for seconds at most.
func (c *Clients) Get(ctx context.Context, secret SecretURL, clientID string, since time.Time) (Secret, error) {
	asked := request{secret: secret, clientID: auth.NormalizeClientID(clientID)}
	return limited(ctx, c, asked, c.timeout, func(waiting context.Context) (Secret, error) {
		return c.responses.get(waiting, asked, since, func(ctx context.Context) (Secret, error) {
			return c.fetch(ctx, asked)
		})
	})
}

// fetch reads a secret, not shared with other callers.
func (c *Clients) fetch(ctx context.Context, asked request) (Secret, error) {
	response, err := send(ctx, c, asked, func(ctx context.Context, client *azsecrets.Client) (azsecrets.GetSecretResponse, error) {
		return client.GetSecret(ctx, asked.secret.Name, asked.secret.Version, nil)
	})
	if err != nil {
		return Secret{}, err
	}
	return secretOf(asked, response)
}

// limited makes a request within the limits that hold for each caller: the allow-list, the bulkhead, and the time that a vault
// may take to respond.
func limited[T any](ctx context.Context, c *Clients, asked request, timeout time.Duration, ask func(context.Context) (T, error)) (result T, err error) {
	if err := c.allowed.Check(asked.secret); err != nil {
		return result, err
	}
	vault, began := c.vaultTarget(asked.secret), c.options.Now()
	if err := vault.Bulkhead.Acquire(ctx); err != nil {
		return result, err
	}
	defer vault.Bulkhead.Release()
	if !vault.Breaker.Closed() {
		timeout = exchange.RequestTimeout
	}
	waiting, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	result, err = ask(waiting)
	if err != nil && waiting.Err() != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		target, host := c.silentTarget(asked)
		err = silentError(host)
		wait := fail(target, c.options.Now(), err, breaker.Failure{Began: began, Certain: true})
		return result, classifyWithWait(asked, err, wait)
	}
	return result, err
}

// silentTarget returns the target that keeps a caller waiting, and its host: the token service during a token request of the
// identity, else the vault.
func (c *Clients) silentTarget(asked request) (*breaker.Target, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.clients.Get(clientKey{asked.secret.Authority(), asked.clientID}); ok {
		if host := client.identity.PendingHost(); host != "" {
			return c.tokenServiceTarget(client.identity.Account()), host
		}
	}
	return c.vaultTarget(asked.secret), asked.secret.Authority()
}

// vaultTarget returns the target of a vault.
func (c *Clients) vaultTarget(secret SecretURL) *breaker.Target {
	return c.targets.Get(secret.Authority())
}

// tokenServiceTarget returns the target of an account's token service.
func (c *Clients) tokenServiceTarget(of auth.Account) *breaker.Target {
	return c.targets.Get("login:" + of.Authority + of.ClientID)
}

// tokenTarget returns the target of a vault for one account. A vault that refuses an account's tokens opens this breaker only:
// it must not be able to keep other vaults' certificates from being read.
func (c *Clients) tokenTarget(secret SecretURL, of auth.Account) *breaker.Target {
	return c.targets.Get("token:" + secret.Authority() + " " + of.Authority + of.ClientID)
}

// send sends a request to a vault, if the breakers of the vault and of the token service admit it.
func send[T any](ctx context.Context, c *Clients, asked request, ask call[T]) (response T, err error) {
	// The SDK's challenge parser panics on an authorization URL without a tenant (challenge_policy.go, parseTenant).
	defer func() {
		if cause := recover(); cause != nil {
			err = authenticationFailure(asked, "the vault's authentication challenge names no tenant")
		}
	}()
	client, err := c.client(asked.secret, asked.clientID)
	if err != nil {
		return response, authenticationFailure(asked, exchange.OneLine(err.Error()))
	}
	secret, began, account := asked.secret, c.options.Now(), client.identity.Account()
	current := attempt{vault: c.vaultTarget(secret), tokenService: c.tokenServiceTarget(account), token: c.tokenTarget(secret, account)}
	ctx, transcript := exchange.WithTranscript(ctx) // begins before the breakers are asked, so that failures of other requests since then are shared
	if err := current.begin(began); err != nil {
		return response, &unsentError{explainUnsent(asked, err)}
	}
	defer client.identity.Recorded(transcript)
	defer current.release(began)
	response, err = through(ctx, client, secret, ask)
	current.record(began, c.options.Now(), secret.Authority(), err)
	if err != nil {
		err = classify(asked, err)
		logDetail(ctx, secret, err)
	}
	return response, err
}

// logDetail logs what differs from attempt to attempt and is in no message.
func logDetail(ctx context.Context, secret SecretURL, err error) {
	var failure *Failure
	if errors.As(err, &failure) && failure.RequestID+failure.Detail != "" {
		logr.FromContextOrDiscard(ctx).V(1).Info("Key Vault request failed", "vault", secret.Authority(), "secret", secret.Name,
			"reason", failure.Reason, "requestID", failure.RequestID, "detail", failure.Detail)
	}
}

func (c *Clients) client(secret SecretURL, clientID string) (*vaultClient, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := clientKey{secret.Authority(), clientID}
	if client, ok := c.clients.Get(key); ok {
		return client, nil
	}
	identity := c.identity(auth.Account{
		Credential: c.options.Credential, ClientID: clientID,
		Authority: auth.AuthorityFor(secret.Host, c.options.AuthorityHost, os.Getenv("AZURE_AUTHORITY_HOST")),
	})
	if err := identity.Ready(); err != nil {
		return nil, fmt.Errorf("configuring the Azure identity: %w", err)
	}
	options := exchange.ClientOptions(c.transport)
	options.PerRetryPolicies = []policy.Policy{auth.NewAuthorizer(identity, func(resource string) (string, error) {
		return c.resources.scopeFor(secret, resource)
	})}
	sdk, err := azsecrets.NewClient("https://"+secret.Authority(), nil, &azsecrets.ClientOptions{ClientOptions: options})
	if err != nil {
		return nil, fmt.Errorf("making a client for %s: %w", secret.Authority(), err)
	}
	client := &vaultClient{client: sdk, identity: identity}
	c.clients.Put(key, client)
	return client, nil
}

// identity returns the one identity of an account. The caller holds the lock.
func (c *Clients) identity(of auth.Account) *auth.Identity {
	if known, ok := c.identities.Get(of); ok {
		return known
	}
	created := auth.NewIdentity(of, c.transport)
	c.identities.Put(of, created)
	return created
}
