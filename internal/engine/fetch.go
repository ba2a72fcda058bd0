package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
	"github.com/vaultpane/vaultpane/internal/engine/origin"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// fetched is a certificate as the vault has it. The caller of fetch wipes its bundle.
type fetched struct {
	bundle  *bundle.Bundle
	version string
	expires *time.Time // of the secret in the vault, not of the certificate
	created int64      // of the version in the vault, as certstore.Mark has it
}

// versions are those to ask the vault for, in this order.
type versions struct {
	first, otherwise string // empty for the newest, and for none
	published        string // the version that the version watch published, where the machine acts on it
}

// toAsk returns the versions of a certificate to ask for.
func (t task) toAsk(pinned string, has installed, now time.Time) versions {
	if pinned != "" {
		return versions{first: pinned}
	}
	request := requestOf(t.certificate)
	first, otherwise := t.published.versionsToAsk(has, request != "" && request != t.before.poll.requestedAt, now)
	asked := versions{first: first, otherwise: otherwise}
	if !t.published.waits(has, now) {
		asked.published = t.published.Version
	}
	return asked
}

// get reads and parses a certificate where it comes from. revision is that of its ConfigMap.
func (e *Engine) get(ctx context.Context, t task, from origin.Origin, asked versions, has installed, since time.Time) (got *fetched, revision string, err error) {
	if from.ConfigMap == nil {
		got, err = e.fetch(ctx, t, from.Secret, asked, since)
		return got, "", err
	}
	content, revision, err := e.ConfigMaps.Get(ctx, from.ConfigMap.Name, from.ConfigMap.Key)
	if err != nil {
		return nil, revision, err
	}
	parsed, version, err := from.Certificates(content) // overwrites the content
	if err != nil {
		return nil, revision, err
	}
	got = &fetched{bundle: parsed, version: version, created: e.Now().Unix()}
	if has.version == version && has.created != 0 {
		got.created = has.created // a ConfigMap has no versions of its own: they are ordered by when this machine first had them
	}
	return got, revision, nil
}

// revision returns the revision of a ConfigMap, empty for a secret, or where it is not known.
func (e *Engine) revision(from origin.Origin) string {
	if from.ConfigMap == nil {
		return ""
	}
	return e.ConfigMaps.Revision(from.ConfigMap.Name)
}

// fetch reads and parses a certificate's secret. Where the first version must not be used, as while the newest is disabled in the
// vault, it reads the other. Plain key bytes are gone when it returns.
func (e *Engine) fetch(ctx context.Context, t task, url keyvault.SecretURL, asked versions, since time.Time) (*fetched, error) {
	got, err := e.fetchVersion(ctx, t, url, asked.first, since)
	if err == nil || asked.otherwise == "" {
		return got, err
	}
	if slices.Contains(unusable, failure.Of(err).Reason) {
		if other, failed := e.fetchVersion(ctx, t, url, asked.otherwise, since); failed == nil {
			return other, nil
		}
	}
	return got, err
}

// unusable are the reasons why the newest version of a secret must not be used.
var unusable = []v1alpha1.Reason{v1alpha1.ReasonSecretDisabled, v1alpha1.ReasonSecretNotYetValid, v1alpha1.ReasonExpired}

// fetchVersion reads and parses one version, the newest if it is empty.
func (e *Engine) fetchVersion(ctx context.Context, t task, url keyvault.SecretURL, version string, since time.Time) (*fetched, error) {
	clientID := ""
	if authentication := t.certificate.Spec.Authentication; authentication != nil {
		clientID = authentication.MSIClientID
	}
	pinned := url
	pinned.Version = version
	secret, err := e.Secrets.Get(ctx, pinned, clientID, since)
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

// deferredBy returns how long a request was deferred because others are asking the vault, or because the cluster does not answer, and
// 0 for any other error.
func deferredBy(err error) time.Duration {
	var deferred *keyvault.Deferred
	if errors.As(err, &deferred) {
		return max(deferred.After, time.Millisecond)
	}
	var later *failure.Later
	if errors.As(err, &later) {
		return max(later.After, time.Millisecond)
	}
	return 0
}

// checkValidity reports a certificate that is in the store and has expired, or is not valid yet.
func checkValidity(want desired, got *fetched, now time.Time) error {
	current := want.Current()
	if now.Before(current.NotBefore) {
		return &failure.NotYetValid{
			From: current.NotBefore, Reason: v1alpha1.ReasonNotYetValid,
			What: fmt.Sprintf("the certificate in %s version %s is installed, and valid from %s on", want.origin, got.version, current.NotBefore.UTC().Format(time.RFC3339)),
		}
	}
	end, what := current.NotAfter, "certificate"
	if got.expires != nil && got.expires.Before(end) {
		end, what = *got.expires, "secret"
	}
	if now.Before(end) {
		return nil
	}
	return &failure.Expired{Message: fmt.Sprintf("the %s %s version %s expired on %s; %s", what, want.origin, got.version, end.UTC().Format(time.RFC3339), want.origin.Remedy())}
}
