package auth

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// refused is a credential that never gets a token, and counts the attempts.
type refused struct{ attempts int }

func (r *refused) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	r.attempts++
	return azcore.AccessToken{}, errors.New("refused")
}

// A request that begins after a token request has failed, but before the breakers know, is admitted by them and must not try again.
func TestAFailureIsSharedUntilTheBreakersKnow(t *testing.T) {
	credential := &refused{}
	identity := NewIdentity(Account{}, nil)
	identity.create = func() (azcore.TokenCredential, error) { return credential, nil }
	request := func() (*exchange.Transcript, error) {
		ctx, transcript := exchange.WithTranscript(t.Context())
		_, _, err := identity.token(ctx, policy.TokenRequestOptions{})
		return transcript, err
	}
	first, err := request()
	if err == nil || errors.As(err, new(*exchange.SharedError)) {
		t.Fatalf("got %v, want the failure itself", err)
	}
	other, err := request()
	if !errors.As(err, new(*exchange.SharedError)) {
		t.Errorf("got %v, want the failure of the request before", err)
	}
	identity.Recorded(other) // of a request that has nothing to record
	if _, err := request(); !errors.As(err, new(*exchange.SharedError)) {
		t.Errorf("got %v, want the failure of the first request", err)
	}
	identity.Recorded(first)
	for recorded := time.Now(); !time.Now().After(recorded); { // Windows' clock moves in steps
	}
	if _, err := request(); errors.As(err, new(*exchange.SharedError)) {
		t.Errorf("got %v, want an attempt of its own: it was admitted by the breakers, which know", err)
	}
	if credential.attempts != 2 {
		t.Errorf("%d attempts were made, want 2", credential.attempts)
	}
}
