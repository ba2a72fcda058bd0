package eventgrid

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/messaging"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/messaging/eventgrid/aznamespaces"
	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	"github.com/vaultpane/vaultpane/test/keyvault"
)

// sdk is Microsoft's client with the credential of the test tenant.
type sdk struct {
	server     *Server
	vaults     *keyvault.Server
	credential azcore.TokenCredential
	options    azcore.ClientOptions
	receiver   *aznamespaces.ReceiverClient
	sender     *aznamespaces.SenderClient
}

func newSDK(t *testing.T, options Options) *sdk {
	t.Helper()
	s := &sdk{vaults: keyvault.ForTest(t, "shop")}
	options.Vaults = s.vaults
	s.server = ForTest(t, options)
	environment := map[string]string{}
	for _, variable := range s.vaults.Env() {
		name, value, _ := strings.Cut(variable, "=")
		environment[name] = value
	}
	transport, err := exchange.NewTransport(s.vaults.CAPEM(), nil)
	must(t, err)
	t.Cleanup(transport.Client.CloseIdleConnections)
	s.options = exchange.ClientOptions(transport)
	s.options.Cloud = cloud.Configuration{ActiveDirectoryAuthorityHost: environment["AZURE_AUTHORITY_HOST"]}
	s.credential, err = azidentity.NewClientSecretCredential(environment["AZURE_TENANT_ID"], environment["AZURE_CLIENT_ID"], environment["AZURE_CLIENT_SECRET"],
		&azidentity.ClientSecretCredentialOptions{ClientOptions: s.options, DisableInstanceDiscovery: true})
	must(t, err)
	s.receiver, err = aznamespaces.NewReceiverClient(s.server.Endpoint(), s.server.Topic(), s.server.Subscription(), s.credential, &aznamespaces.ReceiverClientOptions{ClientOptions: s.options})
	must(t, err)
	s.sender, err = aznamespaces.NewSenderClient(s.server.Endpoint(), s.server.Topic(), s.credential, &aznamespaces.SenderClientOptions{ClientOptions: s.options})
	must(t, err)
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// receive returns what is there, at most 100 events.
func (s *sdk) receive(t *testing.T) []aznamespaces.ReceiveDetails {
	t.Helper()
	response, err := s.receiver.ReceiveEvents(t.Context(), &aznamespaces.ReceiveEventsOptions{MaxEvents: to.Ptr[int32](100), MaxWaitTime: to.Ptr[int32](10)})
	must(t, err)
	return response.Details
}

func event(t *testing.T, subject string) *messaging.CloudEvent {
	t.Helper()
	made, err := messaging.NewCloudEvent("/source", "test", map[string]string{"a": "b"}, &messaging.CloudEventOptions{Subject: &subject})
	must(t, err)
	return &made
}

func TestMicrosoftsClientPublishesAndReceives(t *testing.T) {
	s := newSDK(t, Options{})
	sent := []*messaging.CloudEvent{event(t, "one"), event(t, "two")}
	_, err := s.sender.SendEvents(t.Context(), sent, nil)
	must(t, err)
	_, err = s.sender.SendEvent(t.Context(), event(t, "three"), nil)
	must(t, err)
	var tokens, subjects []string
	for _, detail := range s.receive(t) {
		tokens, subjects = append(tokens, *detail.BrokerProperties.LockToken), append(subjects, *detail.Event.Subject)
		if data, ok := detail.Event.Data.([]byte); !ok || string(data) != `{"a":"b"}` || *detail.BrokerProperties.DeliveryCount != 1 {
			t.Errorf("got data %s, delivery %d", data, *detail.BrokerProperties.DeliveryCount)
		}
	}
	if diff := cmp.Diff([]string{"one", "two", "three"}, subjects); diff != "" {
		t.Fatalf("events (-want +got):\n%s", diff)
	}
	first, err := s.receiver.AcknowledgeEvents(t.Context(), tokens, nil)
	must(t, err)
	if diff := cmp.Diff(tokens, first.SucceededLockTokens); diff != "" || len(first.FailedLockTokens) != 0 {
		t.Errorf("succeeded (-want +got):\n%s and failed %v", diff, first.FailedLockTokens)
	}
	again, err := s.receiver.AcknowledgeEvents(t.Context(), tokens[:1], nil)
	must(t, err)
	if len(again.SucceededLockTokens) != 0 || len(again.FailedLockTokens) != 1 || *again.FailedLockTokens[0].Error.Code != "TokenLost" {
		t.Errorf("got %+v for a token that was acknowledged", again)
	}
	if stats := s.server.Stats(); stats.Pending != 0 || stats.Acknowledged != 3 || stats.Requests[Publish] != 2 {
		t.Errorf("got %+v", stats)
	}
}

// An event is released, its lock expires, is renewed, and in the end it is rejected.
func TestTheLocksOfAnEvent(t *testing.T) {
	s := newSDK(t, Options{LockDuration: time.Hour})
	s.server.Publish(Raw(`{"id":"1","source":"/s","specversion":"1.0","type":"t"}`))
	deliver := func(count int32) []string {
		t.Helper()
		details := s.receive(t)
		if len(details) != 1 || *details[0].BrokerProperties.DeliveryCount != count {
			t.Fatalf("got %+v, want delivery %d", details, count)
		}
		return []string{*details[0].BrokerProperties.LockToken}
	}
	released, err := s.receiver.ReleaseEvents(t.Context(), deliver(1), nil)
	must(t, err)
	token := deliver(2)
	renewed, err := s.receiver.RenewEventLocks(t.Context(), token, nil)
	must(t, err)
	s.server.ExpireLocks()
	late, err := s.receiver.RejectEvents(t.Context(), token, nil)
	must(t, err)
	rejected, err := s.receiver.RejectEvents(t.Context(), deliver(3), nil)
	must(t, err)
	if len(released.SucceededLockTokens) != 1 || len(renewed.SucceededLockTokens) != 1 || len(late.FailedLockTokens) != 1 || len(rejected.SucceededLockTokens) != 1 {
		t.Errorf("released %+v, renewed %+v, late %+v, rejected %+v", released, renewed, late, rejected)
	}
	if stats := s.server.Stats(); stats.Pending != 0 || stats.Dropped != 1 {
		t.Errorf("got %+v, want the rejected event dropped", stats)
	}
}

func TestAnEventIsDroppedAfterItsLastDelivery(t *testing.T) {
	s := newSDK(t, Options{MaxDeliveryCount: 2})
	s.server.Publish(Raw(`{}`))
	for range 2 {
		s.server.queue.take(1, time.Now())
		s.server.ExpireLocks()
	}
	if stats := s.server.Stats(); stats.Pending != 0 || stats.Dropped != 1 {
		t.Errorf("got %+v", stats)
	}
}

// A receive waits for an event, and responds as soon as one is there.
func TestAReceiveWaitsForAnEvent(t *testing.T) {
	s := newSDK(t, Options{})
	arrived := make(chan int, 1)
	go func() {
		response, err := s.receiver.ReceiveEvents(context.Background(), nil)
		if err != nil {
			t.Error(err)
		}
		arrived <- len(response.Details)
	}()
	s.server.Publish(Raw(`{"id":"1","source":"/s","specversion":"1.0","type":"t"}`))
	if count := <-arrived; count != 1 {
		t.Errorf("got %d events, want one", count)
	}
}

func TestRefusals(t *testing.T) {
	s := newSDK(t, Options{})
	token := func(scope string) string {
		got, err := s.credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{scope}})
		must(t, err)
		return got.Token
	}
	good := token(Resource + "/.default")
	const receive = "/topics/vaults/eventsubscriptions/vaultpane:receive?api-version=2024-06-01"
	tests := []struct {
		name, method, path, token string
		want                      int
	}{
		{"no token", http.MethodPost, receive, "", http.StatusUnauthorized},
		{"a token for Key Vault", http.MethodPost, receive, token("https://vault.azure.net/.default"), http.StatusUnauthorized},
		{"another method", http.MethodGet, receive, good, http.StatusMethodNotAllowed},
		{"another version", http.MethodPost, strings.Replace(receive, "06-01", "01-01", 1), good, http.StatusBadRequest},
		{"another operation", http.MethodPost, strings.Replace(receive, ":receive", ":take", 1), good, http.StatusNotFound},
		{"another topic", http.MethodPost, strings.Replace(receive, "vaults", "other", 1), good, http.StatusGone},
		{"another subscription", http.MethodPost, strings.Replace(receive, "vaultpane", "other", 1), good, http.StatusNotFound},
		{"too many events", http.MethodPost, receive + "&maxEvents=101", good, http.StatusBadRequest},
		{"too short a wait", http.MethodPost, receive + "&maxWaitTime=9", good, http.StatusBadRequest},
		{"no lock tokens", http.MethodPost, strings.Replace(receive, ":receive", ":acknowledge", 1), good, http.StatusBadRequest},
		{"publishing another content type", http.MethodPost, "/topics/vaults:publish?api-version=2024-06-01", good, http.StatusUnsupportedMediaType},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request, err := http.NewRequestWithContext(t.Context(), test.method, s.server.Endpoint()+test.path, http.NoBody)
			must(t, err)
			if test.token != "" {
				request.Header.Set("Authorization", "Bearer "+test.token)
			}
			response, err := s.options.Transport.Do(request)
			must(t, err)
			defer func() { _ = response.Body.Close() }()
			if response.StatusCode != test.want {
				t.Errorf("got %d, want %d", response.StatusCode, test.want)
			}
		})
	}
	_, err := s.sender.SendEvent(t.Context(), &messaging.CloudEvent{Source: "/s", SpecVersion: "1.0", Type: "t"}, nil)
	var refused *azcore.ResponseError
	if !errors.As(err, &refused) || refused.ErrorCode != "BadRequest" || !strings.Contains(err.Error(), "`id` must be non-empty string") {
		t.Errorf("got %v for an event without an id", err)
	}
}

// A vault accepts no token for Event Grid.
func TestAVaultRefusesATokenForEventGrid(t *testing.T) {
	s := newSDK(t, Options{})
	got, err := s.credential.GetToken(t.Context(), policy.TokenRequestOptions{Scopes: []string{Resource + "/.default"}})
	must(t, err)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.vaults.Vault("shop").SecretURL("web")+"?api-version=2026-04-01", http.NoBody)
	must(t, err)
	request.Header.Set("Authorization", "Bearer "+got.Token)
	response, err := s.options.Transport.Do(request)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	if response.StatusCode != http.StatusUnauthorized {
		t.Errorf("got %d, want 401", response.StatusCode)
	}
}
