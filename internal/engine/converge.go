package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// task is one certificate to process, with what is remembered of it.
type task struct {
	certificate *v1alpha1.ObservedCertificate
	before      record
	ref         certstore.Ref
}

// outcome is what became of a task.
type outcome struct {
	task
	observation           // what the store holds in the end
	url         string    // in its shortest form; empty where the spec cannot be acted on
	repair      repair    // of what was in the store
	poll        poll      // of the vault
	again       time.Time // when to look again, where the poll was not due; zero for when something changes
	accountsErr error     // of accounts that could not be resolved, which stops nothing
	declined    string    // why linkOnRenewal does not link an older version, empty where it does
	err         error
}

// failed returns the outcome with the error that stopped it, which counts as a failed poll.
func (o outcome) failed(err error) outcome {
	o.poll.made, o.err = true, err
	return o
}

// changed reports whether the store was changed.
func (o outcome) changed() bool { return o.repair.done.changed || o.poll.done.changed }

// repaired reports whether drift was found and something was done about it.
func (o outcome) repaired() bool { return o.repair.drift || o.poll.drift }

// converge brings the store to what the spec and the vault say, as far as it is due, and stops at the first failure.
func (e *Engine) converge(ctx context.Context, t task) outcome {
	seen, err := e.observe(t)
	out := outcome{task: t, observation: seen}
	if err != nil {
		return out.failed(fmt.Errorf("looking at the store: %w", err))
	}
	if t.certificate.Spec.Suspend {
		return out // waits for the spec
	}
	want, err := e.desired(t)
	if err != nil {
		return out.failed(err) // waits for the spec, or for the machine
	}
	out.url, out.accountsErr = want.url.String(), want.access.Err
	want, out.repair, err = e.repair(ctx, t, want, seen.held)
	if err != nil {
		return out.failed(fmt.Errorf("repairing the certificate's properties: %w", err))
	}
	inPlace := usableIn(t.ref, seen.held) && e.complete(t.before.poll.fetched)
	due := decide(t.before, situation{
		certificate: t.certificate, machine: e.MachineName, url: out.url, inPlace: inPlace,
		now: e.Now(), started: e.Started, lastAlive: e.LastAlive,
	})
	out.again = earliest(out.repair.again, due.again)
	if due.poll {
		want, out.poll, err = e.poll(ctx, t, want, due.since)
		out.poll.drift = out.poll.made && t.hasDrifted(inPlace)
		out.observation, out.err = out.poll.found(out.observation), err
	}
	out.declined = e.declinedLinks(want.Desired, out.entry.Thumbprint)
	return out
}

// hasDrifted reports whether the certificate was in place under the same spec before, and is no longer.
func (t task) hasDrifted(inPlace bool) bool {
	return !inPlace && t.before.place.thumbprint != "" && t.before.poll.generation == t.certificate.Generation
}

// poll is what became of asking the vault, which was due.
type poll struct {
	made     bool         // the vault was to be asked, and was: a failure counts as an attempt
	asked    bool         // and the spec could be acted on as far as that
	deferred time.Time    // until when the request is deferred, because others are asking the vault; zero where it was made
	fetched  vaultVersion // what the vault returned
	seen     *observation // what the store holds after it was installed, nil where it is not in place
	done     performed    // in the store
	drift    bool         // it was made to repair drift
}

// found returns what the store holds after the poll, where it held another thing before.
func (p poll) found(before observation) observation {
	if p.seen != nil {
		return *p.seen
	}
	return before
}

// poll asks the vault and installs what it returns. It returns what is desired as far as it is in place by then, and the error
// that stopped it.
func (e *Engine) poll(ctx context.Context, t task, want desired, since time.Time) (desired, poll, error) {
	got, err := e.fetch(ctx, t, want.url, since)
	if wait := deferredBy(err); wait > 0 {
		return want, poll{deferred: e.Now().Add(wait)}, nil
	}
	result := poll{made: true, asked: true}
	if err != nil {
		return want, result, err
	}
	defer got.bundle.Wipe()
	completed, err := want.with(got)
	if err != nil {
		return want, result, fmt.Errorf("reading the certificate in %s version %s: %w", want.url, got.version, err)
	}
	result.fetched = vaultVersion{certstore.Thumbprint(completed.Current()), got.version, completed.Companions()}
	completed, held, done, err := e.apply(ctx, t, completed)
	result.done = done
	if held == nil {
		return want, result, err
	}
	seen := t.observed(held, got.version, e.Now())
	result.seen = &seen
	if err == nil {
		err = checkValidity(completed, got, e.Now())
	}
	return completed, result, err
}
