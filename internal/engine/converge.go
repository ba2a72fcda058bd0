package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// converge brings the store to the desired state, polls the vault if a poll is due, and stops at the first failure.
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
	out.source, out.accountsErr = want.origin.String(), want.access.Err
	want, out.repair, err = e.repair(ctx, t, want, seen.held)
	if err != nil {
		return out.failed(err)
	}
	inPlace := usableIn(t.ref, seen.held) && e.complete(t.before.poll.fetched)
	has := installedOf(seen, inPlace, want.Mark.Source, t.before.poll.fetched)
	due := decide(t.before, situation{
		certificate: t.certificate, machine: e.MachineName, source: out.source, revision: e.revision(want.origin), has: has, published: t.published,
		now: e.Now(), started: e.Started, lastAlive: e.LastAlive,
	})
	if !due.poll {
		out.uses = e.follow(ctx, t, seen.held)
		if out.uses != nil && out.uses.Switched && t.before.kept != "" {
			due = decision{poll: true, since: e.Now()} // a superseded version was kept for a program that has left it now
			t = t.afterUses(*out.uses, e.Now())
		}
	}
	out.skipped = due.skipped
	out.again = earliest(earliest(out.repair.again, due.again), t.published.lookAgain(has, e.Now()))
	if due.poll {
		want, out.poll, err = e.poll(ctx, t, want, has, due.since)
		out.poll.drift = out.poll.made && t.hasDrifted(inPlace)
		out.observation, out.err = out.poll.found(out.observation), err
		switch {
		case out.poll.uses != nil:
			out.uses = out.poll.uses.After(out.uses)
		case out.uses == nil:
			out.uses = e.follow(ctx, t, out.held)
		}
	}
	if out.uses != nil {
		out.again = earliest(out.again, out.uses.Again)
	}
	out.declined = e.declinedLinks(want.Desired, out.entry.Thumbprint)
	return out
}

// poll asks the vault and installs what it returns. It returns what is desired as far as it is in place by then, and the error
// that stopped it.
func (e *Engine) poll(ctx context.Context, t task, want desired, has installed, since time.Time) (desired, pollResult, error) {
	asked := t.toAsk(want.origin.Pinned(), has, e.Now())
	got, revision, err := e.get(ctx, t, want.origin, asked, has, since)
	if wait := deferredBy(err); wait > 0 {
		return want, pollResult{deferred: e.Now().Add(wait)}, nil
	}
	result := pollResult{made: true, asked: true, target: asked.published, revision: revision}
	if err != nil {
		return want, result, err
	}
	defer got.bundle.Wipe()
	completed, err := want.with(got)
	if err != nil {
		return want, result, fmt.Errorf("reading the certificate in %s version %s: %w", want.origin, got.version, err)
	}
	result.fetched = vaultVersion{certstore.Thumbprint(completed.Current()), got.version, got.created, completed.Companions()}
	completed, held, done, err := e.apply(ctx, t, completed)
	result.done = done
	if held == nil {
		return want, result, err
	}
	result.uses = e.followTo(ctx, t, held)
	if err == nil && result.uses != nil && result.uses.Switched && len(done.kept) > 0 {
		completed, _, result.done, err = e.apply(ctx, t, completed) // removes what the programs have left
		result.done.changed = true
	}
	seen := t.observed(held, got.version, e.Now())
	result.seen = &seen
	if err == nil {
		err = checkValidity(completed, got, e.Now())
	}
	return completed, result, err
}
