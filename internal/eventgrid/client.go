package eventgrid

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/eventgrid/aznamespaces"

	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

const (
	// scope is the scope of Event Grid's tokens, as in the SDK.
	scope = "https://eventgrid.azure.net/.default"
	// maxWait is how long Event Grid waits for an event before it responds: the shortest that it offers. A connection that was
	// lost is noticed as soon, and exchange waits 20 s for the headers of a response.
	maxWait = 10 * time.Second
	// maxBatch is the most events of one response that Event Grid offers.
	maxBatch = 100
)

// client sends the requests. It is used by one goroutine.
type client struct {
	endpoint  endpoint
	sdk       *aznamespaces.ReceiverClient
	identity  *auth.Identity
	transport *exchange.Transport
	last      *lastResponse
}

// lastResponse keeps the response to the last request (policy.Policy), nil if there was none. What the SDK has for this is in the
// request's context, and also keeps responses of the token service.
type lastResponse struct{ response *http.Response }

// Do implements policy.Policy.
func (l *lastResponse) Do(request *policy.Request) (*http.Response, error) {
	l.response = nil
	response, err := request.Next()
	if err == nil {
		l.response = response
	}
	return response, err
}

// newClient makes a client of checked options. It sends no request.
func newClient(o Options) (*client, error) {
	at, err := parseEndpoint(o.Endpoint)
	if err != nil {
		return nil, err
	}
	transport, err := exchange.NewTransport(o.CABundle, nil)
	if err != nil {
		return nil, err
	}
	identity := auth.NewIdentity(auth.Account{
		Credential: o.Credential, Authority: auth.AuthorityFor(at.host, o.AuthorityHost, os.Getenv("AZURE_AUTHORITY_HOST")),
	}, transport)
	options := exchange.ClientOptions(transport)
	last := &lastResponse{}
	options.PerCallPolicies = []policy.Policy{last}
	options.PerRetryPolicies = []policy.Policy{auth.NewScopedAuthorizer(identity, scope)}
	// Without a credential the SDK adds no policy of its own, which would keep a token that Event Grid refuses.
	sdk, err := aznamespaces.NewReceiverClient("https://"+at.authority(), o.Topic, o.Subscription, nil, &aznamespaces.ReceiverClientOptions{ClientOptions: options})
	if err != nil {
		return nil, err
	}
	return &client{endpoint: at, sdk: sdk, identity: identity, transport: transport, last: last}, nil
}

// receive returns the events that are there, at most limit; without one it waits for the first, for maxWait. Its error is settled.
func (c *client) receive(ctx context.Context, limit int) ([]delivery, error) {
	ctx, cancel := context.WithTimeout(ctx, maxWait+exchange.RequestTimeout)
	defer cancel()
	ctx, transcript := exchange.WithTranscript(ctx)
	defer c.identity.Recorded(transcript)
	_, err := c.sdk.ReceiveEvents(ctx, &aznamespaces.ReceiveEventsOptions{
		MaxEvents:   to.Ptr(int32(limit)), //nolint:gosec // at most maxBatch
		MaxWaitTime: to.Ptr(int32(maxWait / time.Second)),
	})
	if response := c.last.response; response != nil && response.StatusCode == http.StatusOK {
		body, unread := runtime.Payload(response)
		batch, unusable := readBatch(body)
		if unread == nil && unusable == nil {
			return batch, nil
		}
		if err == nil {
			err = unusable // the SDK takes any JSON object for a batch
		}
	}
	return nil, exchange.Settle(c.endpoint.authority(), transcript, err)
}

// acknowledge removes events from the subscription. It returns how many had lost their lock, and are delivered again. Its error is
// settled.
func (c *client) acknowledge(ctx context.Context, tokens []string) (lost int, err error) {
	if len(tokens) == 0 {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(ctx, exchange.RequestTimeout)
	defer cancel()
	ctx, transcript := exchange.WithTranscript(ctx)
	defer c.identity.Recorded(transcript)
	response, err := c.sdk.AcknowledgeEvents(ctx, tokens, nil)
	return len(response.FailedLockTokens), exchange.Settle(c.endpoint.authority(), transcript, err)
}
