package keyvault

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"
	"github.com/go-logr/logr"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Secret is one version of a secret.
type Secret struct {
	// Value is the secret's value. It belongs to the caller, who overwrites it.
	Value []byte
	// ContentType is the secret's content type, empty if it has none.
	ContentType string
	// Version is the version that the vault answered with.
	Version string
	// NotBefore and Expires are the secret's own validity in the vault; nil where it has none.
	NotBefore, Expires *time.Time
	// Created is when the vault made this version; nil where it does not say. It orders the versions of a secret.
	Created *time.Time
}

// Clients reads secrets from any number of vaults. It keeps one client per vault and identity, for the thousand used last: with
// it the token, the challenge's answer and the connection, so that a vault says 401 at most once to each identity.
type Clients struct {
	options   Options
	allowed   AllowList
	resources resourceRule
	transport *transport
	answers   answers
	gates     *gates
	patience  time.Duration

	mu         sync.Mutex
	identities recent[account, *identity]
	clients    recent[clientKey, *vaultClient]
}

type clientKey struct{ authority, clientID string }

// New returns Clients. It fails on an unusable option and asks nobody.
func New(options Options) (*Clients, error) {
	allowed, err := NewAllowList(options.AllowedHosts)
	if err != nil {
		return nil, err
	}
	resources, err := options.resourceRule()
	if err != nil {
		return nil, err
	}
	transport, err := newTransport(options.CABundle, options.Observe)
	if err != nil {
		return nil, err
	}
	if err := options.complete(); err != nil {
		return nil, err
	}
	return &Clients{
		options: options, allowed: allowed, resources: resources, transport: transport,
		gates: newGates(options.Workers, options.RequestsPerSecond), patience: patience,
		identities: keep[account, *identity](keptVaults), clients: keep[clientKey, *vaultClient](keptVaults),
	}, nil
}

// Get reads a secret with the identity of a client id, empty for the agent's own. An answer to a request that began at
// since or later is shared with everyone who asks for the same secret with the same identity; the zero time shares any
// answer of the last seconds. Errors are Faults, or Busy where it was not the request's turn; the context's own error is
// returned when it ends first. A vault that does not answer holds up its caller for seconds at most.
func (c *Clients) Get(ctx context.Context, secret SecretURL, clientID string, since time.Time) (Secret, error) {
	if err := c.allowed.Check(secret); err != nil {
		return Secret{}, err
	}
	clientID = ownClientID(clientID)
	vault, began := c.gates.of(secret.Authority()), c.options.Now()
	if err := vault.room.enter(ctx); err != nil {
		return Secret{}, err
	}
	defer vault.room.leave()
	limit := c.patience
	if vault.closed() {
		limit = requestTimeout
	}
	waiting, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	result, err := c.answers.get(waiting, answerKey{secret, clientID}, since, func(ctx context.Context) (Secret, error) {
		return c.fetch(ctx, secret, clientID)
	})
	if err != nil && waiting.Err() != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		silent, host := c.silent(secret, clientID)
		err = silence(host)
		return Secret{}, faultOf(secret, clientID, err, silent.conclude(began, c.options.Now(), err, true))
	}
	return result, err
}

// silent returns who keeps a caller waiting: the token service while it is asked for the identity's token, else the vault.
func (c *Clients) silent(secret SecretURL, clientID string) (*gate, string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if client, ok := c.clients.get(clientKey{secret.Authority(), clientID}); ok {
		if host := client.authorizer.identity.asking(); host != "" {
			return c.loginGate(client.account()), host
		}
	}
	return c.gates.of(secret.Authority()), secret.Authority()
}

// loginGate returns the gate before an account's token service.
func (c *Clients) loginGate(of account) *gate {
	return c.gates.of("login:" + of.authority + of.clientID)
}

// tokenGate returns the gate before a vault for one account. A vault that refuses an account's tokens closes this one only: it
// must not be able to keep other vaults' certificates from being read.
func (c *Clients) tokenGate(secret SecretURL, of account) *gate {
	return c.gates.of("token:" + secret.Authority() + " " + of.authority + of.clientID)
}

// fetch asks a vault, if it and the token service are to be asked now.
func (c *Clients) fetch(ctx context.Context, secret SecretURL, clientID string) (result Secret, err error) {
	// The SDK's challenge parser panics on an authorization URL without a tenant (challenge_policy.go, parseTenant).
	defer func() {
		if cause := recover(); cause != nil {
			err = authenticationFault(secret, clientID, "the vault's authentication challenge names no tenant")
		}
	}()
	client, err := c.client(secret, clientID)
	if err != nil {
		return Secret{}, authenticationFault(secret, clientID, oneLine(err.Error()))
	}
	began := c.options.Now()
	visit := visit{vault: c.gates.of(secret.Authority()), login: c.loginGate(client.account()), token: c.tokenGate(secret, client.account())}
	ctx, _ = withTrail(ctx) // begins before the gates, so that what others met meanwhile is shared
	if err := visit.begin(began); err != nil {
		return Secret{}, &unasked{refusedFault(secret, clientID, err)}
	}
	defer visit.leave(began)
	response, err := client.get(ctx, secret)
	visit.end(began, c.options.Now(), secret.Authority(), err)
	if err != nil {
		err = classify(secret, clientID, err)
		logDetail(ctx, secret, err)
		return Secret{}, err
	}
	return fromResponse(secret, clientID, response)
}

// logDetail logs what differs from attempt to attempt and is in no message.
func logDetail(ctx context.Context, secret SecretURL, err error) {
	var fault *Fault
	if errors.As(err, &fault) && fault.RequestID+fault.Detail != "" {
		logr.FromContextOrDiscard(ctx).V(1).Info("Key Vault request failed", "vault", secret.Authority(), "secret", secret.Name,
			"reason", fault.Reason, "requestID", fault.RequestID, "detail", fault.Detail)
	}
}

func (c *Clients) client(secret SecretURL, clientID string) (*vaultClient, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := clientKey{secret.Authority(), clientID}
	if client, ok := c.clients.get(key); ok {
		return client, nil
	}
	identity := c.identity(account{
		credential: c.options.Credential, clientID: clientID,
		authority: authorityFor(secret.Host, c.options.AuthorityHost, os.Getenv("AZURE_AUTHORITY_HOST")),
	})
	if _, err := identity.ready(); err != nil {
		return nil, fmt.Errorf("configuring the Azure identity: %w", err)
	}
	options := clientOptions(c.transport)
	authorizer := &authorizer{identity: identity, check: func(resource string) (string, error) {
		return c.resources.scopeFor(secret, resource)
	}}
	options.PerRetryPolicies = []policy.Policy{authorizer}
	sdk, err := azsecrets.NewClient("https://"+secret.Authority(), nil, &azsecrets.ClientOptions{ClientOptions: options})
	if err != nil {
		return nil, fmt.Errorf("making a client for %s: %w", secret.Authority(), err)
	}
	client := &vaultClient{client: sdk, authorizer: authorizer}
	c.clients.put(key, client)
	return client, nil
}

// identity returns the one credential of an account. The caller holds the lock.
func (c *Clients) identity(of account) *identity {
	if known, ok := c.identities.get(of); ok {
		return known
	}
	made := newIdentity(of, c.transport)
	c.identities.put(of, made)
	return made
}

// answeredVersion is wider than Key Vault's own versions, for vaults that are not Azure's, and holds nothing that could not
// stand in a mark, which is one line of words.
var answeredVersion = regexp.MustCompile(`^[0-9A-Za-z._-]{1,128}$`)

func fromResponse(secret SecretURL, clientID string, response azsecrets.GetSecretResponse) (Secret, error) {
	if response.ID == nil || !answeredVersion.MatchString(response.ID.Version()) || response.Value == nil {
		return Secret{}, &Fault{
			Reason:  v1alpha1.ReasonVaultUnreachable,
			Message: about(secret, clientID) + "the answer has no secret's id and value, so it is not Key Vault's; " + lookBetween,
		}
	}
	result := Secret{Value: []byte(*response.Value), Version: response.ID.Version()}
	if response.ContentType != nil {
		result.ContentType = *response.ContentType
	}
	if attributes := response.Attributes; attributes != nil {
		if attributes.Enabled != nil && !*attributes.Enabled { // Key Vault refuses by 403, others only say so
			clear(result.Value)
			return Secret{}, &Fault{
				Reason:  v1alpha1.ReasonSecretDisabled,
				Message: about(secret, clientID) + "the vault says that the secret is not enabled; " + adviceFor(v1alpha1.ReasonSecretDisabled, secret, &vaultError{}, clientID),
			}
		}
		result.NotBefore, result.Expires, result.Created = attributes.NotBefore, attributes.Expires, attributes.Created
	}
	return result, nil
}
