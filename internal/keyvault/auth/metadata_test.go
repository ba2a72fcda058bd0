package auth

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// status is a network on which every request gets a response with this status.
type status int

// RoundTrip implements http.RoundTripper.
func (s status) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: int(s), Body: http.NoBody}, nil
}

// The metadata service forwards Entra ID's refusals with the same status as its own.
func TestAVaultOfAnotherCloudIsNotTakenForAMissingIdentity(t *testing.T) {
	const body = `{"error":"invalid_resource","error_description":"AADSTS500011: The resource principal named https://vault.azure.cn was not found","error_codes":[500011]}`
	transport, err := exchange.NewTransport(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	transport.Client.Transport = status(http.StatusBadRequest)
	ctx, transcript := exchange.WithTranscript(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+exchange.MetadataHost+"/metadata/identity/oauth2/token", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := transport.Do(request); err != nil { //nolint:bodyclose // it has no body
		t.Fatal(err)
	}
	account := Account{ClientID: "11111111-2222-3333-4444-555555555555"}
	err = explainMetadata(account, transcript, &exchange.RefusalError{TokenService: true, Status: http.StatusBadRequest, Body: []byte(body)})
	var refusal *exchange.RefusalError
	if !errors.As(err, &refusal) || errors.As(err, new(*exchange.ExplainedError)) {
		t.Fatalf("got %v, want the refusal itself", err)
	}
	text, _ := ExplainRefusal(refusal)
	for _, want := range []string{"AADSTS500011", "different clouds"} {
		if !strings.Contains(text, want) {
			t.Errorf("got %q, want %q in it", text, want)
		}
	}
}
