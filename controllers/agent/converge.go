package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
	"github.com/vaultpane/vaultpane/controllers/internal/keyvault"
)

// outcome is what became of one look at a certificate.
type outcome struct {
	remembered record                    // as it was before
	entry      v1alpha1.CertificateEntry // what the store holds, read back
	ref        certstore.Ref
	polled     bool      // Key Vault was to be asked
	repaired   bool      // the poll was for drift
	changed    bool      // the store was changed
	fetched    string    // thumbprint of what the vault gave
	fetchedAs  string    // its version
	url        string    // in its shortest form
	again      time.Time // when to look again, where all is well; zero for when something changes
	err        error
}

// converge brings the store to what the spec and the vault say, as far as it is due, and stops at the first fault.
func (r *Reconciler) converge(ctx context.Context, certificate *v1alpha1.ObservedCertificate) outcome {
	out := outcome{remembered: r.recall(certificate), ref: storeRef(certificate.Spec)}
	held, err := r.holding(out.remembered, out.ref)
	if err != nil {
		out.polled, out.entry = true, entryOf(certificate, nil, "")
		out.err = fmt.Errorf("looking at the store: %w", err)
		return out
	}
	out.entry = entryOf(certificate, held, out.remembered.version)
	if certificate.Spec.Suspend {
		return out
	}
	url, err := usable(certificate.Spec)
	if err != nil {
		out.polled, out.err = true, err
		return out
	}
	out.url = url.String()
	inPlace := held != nil && held.Key == certstore.KeyPresent
	due := decide(out.remembered, moment{
		certificate: certificate, node: r.Node, url: out.url, inPlace: inPlace,
		now: r.Now(), started: r.Started, lastAlive: r.LastAlive,
	})
	if !due.poll {
		out.again = due.again
		return out
	}
	out.polled = true
	out.repaired = !inPlace && out.remembered.thumbprint != "" && out.remembered.generation == certificate.Generation
	r.poll(ctx, certificate, url, due.since, &out)
	return out
}

// usable returns the spec's URL, or why this agent cannot act on the spec.
func usable(spec v1alpha1.ObservedCertificateSpec) (keyvault.SecretURL, error) {
	if what := unsupported(spec); what != "" {
		return keyvault.SecretURL{}, &unsupportedError{what}
	}
	url, err := keyvault.ParseURL(spec.URL)
	if err != nil {
		return keyvault.SecretURL{}, fmt.Errorf("reading spec.url: %w", err)
	}
	return url, nil
}

// unsupportedError names what the spec asks for and this agent cannot do.
type unsupportedError struct{ what string }

func (e *unsupportedError) Error() string {
	return fmt.Sprintf("the spec asks for %s, which this version of the agent cannot do; nothing was installed or changed for it", e.what)
}

// poll fetches the certificate and applies what follows.
func (r *Reconciler) poll(ctx context.Context, certificate *v1alpha1.ObservedCertificate, url keyvault.SecretURL, since time.Time, out *outcome) {
	got, err := r.fetch(ctx, certificate, url, since)
	if err != nil {
		out.err = err
		return
	}
	defer got.bundle.Wipe()
	out.fetched, out.fetchedAs = certstore.Thumbprint(got.bundle.Leaf), got.version
	held, changed, err := r.apply(ctx, certificate, out.ref, got)
	out.changed = changed
	if held != nil {
		out.entry = entryOf(certificate, held, got.version)
	}
	if err != nil {
		out.err = err
		return
	}
	out.err = expiredError(url, got, r.Now())
}

// expiredError reports a certificate that is in the store and of no use any more.
func expiredError(url keyvault.SecretURL, got *fetched, now time.Time) error {
	end, what := got.bundle.Leaf.NotAfter, "certificate"
	if got.expires != nil && got.expires.Before(end) {
		end, what = *got.expires, "secret"
	}
	if now.Before(end) {
		return nil
	}
	return &expired{fmt.Sprintf("the %s %s version %s expired on %s; renew it in the vault", what, url, got.version, end.UTC().Format(time.RFC3339))}
}

type expired struct{ message string }

func (e *expired) Error() string { return e.message }
