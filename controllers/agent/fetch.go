package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// fetched is a certificate as the vault has it. Whoever gets one wipes its bundle.
type fetched struct {
	bundle  *bundle.Bundle
	version string
	expires *time.Time // of the secret in the vault, not of the certificate
	created int64      // of the version in the vault, as certstore.Mark has it
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
		return nil, &notYetValid{
			from: *secret.NotBefore, reason: v1alpha1.ReasonSecretNotYetValid,
			what: fmt.Sprintf("the secret %s is not to be used before %s (its activation date)", url, secret.NotBefore.UTC().Format(time.RFC3339)),
		}
	}
	parsed, err := bundle.Parse(secret.ContentType, secret.Value, r.Now()) // overwrites the value
	if err != nil {
		return nil, fmt.Errorf("reading the certificate in %s version %s: %w", url, secret.Version, err)
	}
	got := &fetched{bundle: parsed, version: secret.Version, expires: secret.Expires}
	if secret.Created != nil {
		got.created = secret.Created.Unix()
	}
	return got, nil
}

// notYetValid says that a secret or a certificate is of use from a time in the future on.
type notYetValid struct {
	from   time.Time
	reason v1alpha1.Reason
	what   string
}

func (e *notYetValid) Error() string {
	return e.what + "; it is read again then. If that time has come already, the node's clock is behind: correct it"
}
