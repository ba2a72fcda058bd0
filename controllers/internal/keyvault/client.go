package keyvault

import (
	"context"
	"fmt"
	"regexp"
	"sync"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azsecrets"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Options configure Clients.
type Options struct {
	// AllowedHosts are allowed beside DefaultAllowedHosts; NewAllowList says how they are written.
	AllowedHosts []string
	// CABundle holds PEM certificates that are trusted beside the system's, for a proxy that inspects or a test server.
	CABundle []byte
	// DisableChallengeResourceVerification accepts a vault whose authentication challenge names a resource outside the
	// vault's own DNS name. Only for test servers and private clouds
	// (https://aka.ms/azsdk/blog/vault-uri).
	DisableChallengeResourceVerification bool
	// Observe is told of every HTTP answer: its status code, or "error", and the time it took. Nil for nobody.
	Observe func(code string, duration time.Duration)
}

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
}

// Clients reads secrets from any number of vaults. It keeps one client per vault and identity as long as it lives: with it
// the token, the challenge's answer and the connection, so that a vault says 401 at most once to each identity.
type Clients struct {
	options   Options
	allowed   AllowList
	transport *transport
	answers   answers

	mu          sync.Mutex
	credentials map[string]azcore.TokenCredential
	clients     map[clientKey]*vaultClient
}

type clientKey struct{ authority, clientID string }

// New returns Clients. It fails on an unusable option and asks nobody.
func New(options Options) (*Clients, error) {
	allowed, err := NewAllowList(options.AllowedHosts)
	if err != nil {
		return nil, err
	}
	transport, err := newTransport(options.CABundle, options.Observe)
	if err != nil {
		return nil, err
	}
	return &Clients{
		options: options, allowed: allowed, transport: transport,
		credentials: map[string]azcore.TokenCredential{}, clients: map[clientKey]*vaultClient{},
	}, nil
}

// Get reads a secret with the identity of a client id, empty for the agent's own. An answer to a request that began at
// since or later is shared with everyone who asks for the same secret with the same identity; the zero time shares any
// answer of the last seconds. Errors are Faults; the context's own error is returned when it ends first.
func (c *Clients) Get(ctx context.Context, secret SecretURL, clientID string, since time.Time) (Secret, error) {
	if err := c.allowed.Check(secret); err != nil {
		return Secret{}, err
	}
	return c.answers.get(ctx, answerKey{secret, clientID}, since, func(ctx context.Context) (Secret, error) {
		return c.fetch(ctx, secret, clientID)
	})
}

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
	response, err := client.get(ctx, secret)
	if err != nil {
		return Secret{}, classify(secret, clientID, err)
	}
	return fromResponse(secret, clientID, response)
}

func (c *Clients) client(secret SecretURL, clientID string) (*vaultClient, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := clientKey{secret.Authority(), clientID}
	if client, ok := c.clients[key]; ok {
		return client, nil
	}
	credential, ok := c.credentials[clientID]
	if !ok {
		var err error
		if credential, err = newCredential(clientID, c.transport); err != nil {
			return nil, fmt.Errorf("configuring the Azure identity: %w", err)
		}
		c.credentials[clientID] = credential
	}
	client, err := azsecrets.NewClient("https://"+secret.Authority(), credential, &azsecrets.ClientOptions{
		ClientOptions:                        clientOptions(c.transport),
		DisableChallengeResourceVerification: c.options.DisableChallengeResourceVerification,
	})
	if err != nil {
		return nil, fmt.Errorf("making a client for %s: %w", secret.Authority(), err)
	}
	c.clients[key] = &vaultClient{client: client}
	return c.clients[key], nil
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
		result.NotBefore, result.Expires = attributes.NotBefore, attributes.Expires
	}
	return result, nil
}
