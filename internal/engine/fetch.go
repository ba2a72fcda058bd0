package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// fetched is a certificate as the vault has it. The caller of fetch wipes its bundle.
type fetched struct {
	bundle  *bundle.Bundle
	version string
	expires *time.Time // of the secret in the vault, not of the certificate
	created int64      // of the version in the vault, as certstore.Mark has it
}

// fetch reads and parses a certificate's secret. Plain key bytes are gone when it returns.
func (e *Engine) fetch(ctx context.Context, t task, url keyvault.SecretURL, since time.Time) (*fetched, error) {
	clientID := ""
	if authentication := t.certificate.Spec.Authentication; authentication != nil {
		clientID = authentication.MSIClientID
	}
	secret, err := e.Secrets.Get(ctx, url, clientID, since)
	if err != nil {
		return nil, fmt.Errorf("reading the secret: %w", err)
	}
	if secret.NotBefore != nil && secret.NotBefore.After(e.Now()) {
		clear(secret.Value)
		return nil, &failure.NotYetValid{
			From: *secret.NotBefore, Reason: v1alpha1.ReasonSecretNotYetValid,
			What: fmt.Sprintf("the secret %s is not to be used before %s (its activation date)", url, secret.NotBefore.UTC().Format(time.RFC3339)),
		}
	}
	parsed, err := bundle.Parse(secret.ContentType, secret.Value, e.Now()) // overwrites the value
	if err != nil {
		return nil, fmt.Errorf("reading the certificate in %s version %s: %w", url, secret.Version, err)
	}
	got := &fetched{bundle: parsed, version: secret.Version, expires: secret.Expires}
	if secret.Created != nil {
		got.created = secret.Created.Unix()
	}
	return got, nil
}

// deferredBy returns how long a request was deferred because others are asking the vault, and 0 for any other error.
func deferredBy(err error) time.Duration {
	var deferred *keyvault.Deferred
	if errors.As(err, &deferred) {
		return max(deferred.After, time.Millisecond)
	}
	return 0
}

// checkValidity reports a certificate that is in the store and has expired, or is not valid yet.
func checkValidity(want desired, got *fetched, now time.Time) error {
	current := want.Current()
	if now.Before(current.NotBefore) {
		return &failure.NotYetValid{
			From: current.NotBefore, Reason: v1alpha1.ReasonNotYetValid,
			What: fmt.Sprintf("the certificate in %s version %s is installed, and valid from %s on", want.url, got.version, current.NotBefore.UTC().Format(time.RFC3339)),
		}
	}
	end, what := current.NotAfter, "certificate"
	if got.expires != nil && got.expires.Before(end) {
		end, what = *got.expires, "secret"
	}
	if now.Before(end) {
		return nil
	}
	remedy := "renew it in the vault"
	if want.url.Version != "" {
		remedy = "spec.url names this version, so a newer one is not installed: remove /" + want.url.Version + " from the URL to follow the newest, or name a newer one"
	}
	return &failure.Expired{Message: fmt.Sprintf("the %s %s version %s expired on %s; %s", what, want.url, got.version, end.UTC().Format(time.RFC3339), remedy)}
}
