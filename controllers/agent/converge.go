package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// outcome is what became of one look at a certificate.
type outcome struct {
	remembered record                    // as it was before
	entry      v1alpha1.CertificateEntry // what the store holds, read back
	mark       certstore.Mark            // its mark, if it is this ObservedCertificate's
	ref        certstore.Ref
	polled     bool                  // Key Vault was to be asked
	asked      bool                  // and the spec could be acted on as far as that
	repaired   bool                  // drift was found and something done about it
	done       performed             // in the store
	companions []certstore.Companion // what is to be in the stores together with the certificate, as the vault gave it
	fetched    string                // thumbprint of what the vault gave
	fetchedAs  string                // its version
	url        string                // in its shortest form
	again      time.Time             // when to look again, where all is well; zero for when something changes
	turn       time.Time             // when the vault can be asked: it was not this certificate's turn; zero where it was
	problem    error                 // with accounts, which stops nothing
	declined   string                // why linkOnRenewal does not link an older version, empty where it does
	valid      bool                  // what the store holds is valid now
	err        error
}

// converge brings the store to what the spec and the vault say, as far as it is due, and stops at the first fault.
func (r *Reconciler) converge(ctx context.Context, certificate *v1alpha1.ObservedCertificate) outcome {
	out := outcome{remembered: r.recall(certificate), ref: storeRef(certificate.Spec)}
	held, err := r.holding(out.remembered, out.ref)
	if err != nil {
		out.entry = entryOf(certificate, out.ref, nil, "")
		return out.fail(fmt.Errorf("looking at the store: %w", err))
	}
	out.take(certificate, held, out.remembered.version, r.Now())
	if certificate.Spec.Suspend {
		return out
	}
	w, err := r.want(certificate, out.ref)
	if err != nil {
		return out.fail(err)
	}
	out.url, out.problem = w.url.String(), w.problem
	if err := r.tend(ctx, certificate, w, held, &out); err != nil {
		return out.fail(err)
	}
	out.declined = r.declinedLinks(w.Desired, out.entry.Thumbprint)
	inPlace := usableIn(out.ref, held) && r.complete(out.remembered)
	due := decide(out.remembered, moment{
		certificate: certificate, node: r.Node, url: out.url, inPlace: inPlace,
		now: r.Now(), started: r.Started, lastAlive: r.LastAlive,
	})
	if !due.poll {
		out.again = soonerOf(out.again, due.again)
		return out
	}
	got, err := r.fetch(ctx, certificate, w.url, due.since)
	if turn := turnOf(err); turn > 0 {
		out.turn = r.Now().Add(turn)
		return out
	}
	out.polled, out.asked = true, true
	out.repaired = out.repaired || !inPlace && out.remembered.thumbprint != "" && out.remembered.generation == certificate.Generation
	if err != nil {
		return out.fail(err)
	}
	defer got.bundle.Wipe()
	r.install(ctx, certificate, w, got, &out)
	out.declined = r.declinedLinks(w.Desired, out.entry.Thumbprint)
	return out
}

// turnOf returns after which time a vault can be asked that others were asking, and 0 for any other error.
func turnOf(err error) time.Duration {
	var busy *keyvault.Deferred
	if errors.As(err, &busy) {
		return max(busy.After, time.Millisecond)
	}
	return 0
}

// take records what the store holds.
func (o *outcome) take(certificate *v1alpha1.ObservedCertificate, held *certstore.Entry, version string, now time.Time) {
	o.entry = entryOf(certificate, o.ref, held, version)
	o.valid = held != nil && held.ValidAt(now)
	if held != nil && held.Mark != nil && held.Mark.UID == string(certificate.UID) {
		o.mark = *held.Mark
	}
}

// fail returns an outcome that counts as a poll in vain.
func (o outcome) fail(err error) outcome {
	o.polled, o.err = true, err
	return o
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
	return fmt.Sprintf("this agent cannot do what the spec asks for: %s; nothing was installed or changed for it", e.what)
}

// install applies what follows from what the vault gave.
func (r *Reconciler) install(ctx context.Context, certificate *v1alpha1.ObservedCertificate, w *wanted, got *fetched, out *outcome) {
	if err := w.take(got); err != nil {
		out.err = fmt.Errorf("reading the certificate in %s version %s: %w", w.url, got.version, err)
		return
	}
	out.fetched, out.fetchedAs, out.companions = certstore.Thumbprint(w.Current()), got.version, w.Companions()
	held, done, err := r.apply(ctx, certificate, w)
	out.done.add(done)
	if held != nil {
		out.take(certificate, held, got.version, r.Now())
	}
	if err != nil {
		out.err = err
		return
	}
	out.err = validityError(w, got, r.Now())
}

// validityError reports a certificate that is in the store and of no use any more, or not yet.
func validityError(w *wanted, got *fetched, now time.Time) error {
	current := w.Current()
	if now.Before(current.NotBefore) {
		return &notYetValid{
			from: current.NotBefore, reason: v1alpha1.ReasonNotYetValid,
			what: fmt.Sprintf("the certificate in %s version %s is installed, and valid from %s on", w.url, got.version, current.NotBefore.UTC().Format(time.RFC3339)),
		}
	}
	end, what := current.NotAfter, "certificate"
	if got.expires != nil && got.expires.Before(end) {
		end, what = *got.expires, "secret"
	}
	if now.Before(end) {
		return nil
	}
	todo := "renew it in the vault"
	if w.url.Version != "" {
		todo = "spec.url names this version, so a newer one is not installed: remove /" + w.url.Version + " from the URL to follow the newest, or name a newer one"
	}
	return &expired{fmt.Sprintf("the %s %s version %s expired on %s; %s", what, w.url, got.version, end.UTC().Format(time.RFC3339), todo)}
}

type expired struct{ message string }

func (e *expired) Error() string { return e.message }
