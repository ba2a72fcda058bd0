package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/internal/bundle"
	"github.com/vaultpane/vaultpane/controllers/internal/keyvault"
)

// fetched is a certificate as the vault has it. Whoever gets one wipes its bundle.
type fetched struct {
	bundle  *bundle.Bundle
	version string
	expires *time.Time // of the secret in the vault, not of the certificate
}

// fetch reads and parses a certificate's secret. Plain key bytes are gone when it returns.
func (r *Reconciler) fetch(ctx context.Context, certificate *v1alpha1.ObservedCertificate, url keyvault.SecretURL, since time.Time) (*fetched, error) {
	clientID := ""
	if certificate.Spec.Authentication != nil {
		clientID = certificate.Spec.Authentication.MSIClientID
	}
	secret, err := r.Secrets.Get(ctx, url, clientID, since)
	if err != nil {
		return nil, fmt.Errorf("reading the secret: %w", err)
	}
	if secret.NotBefore != nil && secret.NotBefore.After(r.Now()) {
		clear(secret.Value)
		return nil, &notYetValid{from: *secret.NotBefore, url: url.String()}
	}
	parsed, err := bundle.Parse(secret.ContentType, secret.Value) // overwrites the value
	if err != nil {
		return nil, fmt.Errorf("reading the certificate in %s version %s: %w", url, secret.Version, err)
	}
	return &fetched{bundle: parsed, version: secret.Version, expires: secret.Expires}, nil
}

// notYetValid says that the secret's activation date lies in the future.
type notYetValid struct {
	from time.Time
	url  string
}

func (e *notYetValid) Error() string {
	return fmt.Sprintf("the secret %s is not to be used before %s (its activation date); it is read again then", e.url, e.from.UTC().Format(time.RFC3339))
}
