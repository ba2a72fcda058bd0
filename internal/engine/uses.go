package engine

import (
	"context"
	"slices"
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
	"github.com/vaultpane/vaultpane/internal/schedule"
)

// useRecord counts failed attempts to switch programs of spec.usedBy.
type useRecord struct {
	failures int
	retry    time.Time // when to try again; zero for at once
}

// follow switches the programs of spec.usedBy to the certificate that is in the store. It returns nil if it is not known whether that
// is the current version, or what the store holds: then what was reported of the programs stays.
func (e *Engine) follow(ctx context.Context, t task, held *certstore.Entry) *usedby.Result {
	uses := usedby.Of(t.certificate)
	if len(uses) > 0 && !e.isCurrent(t, held) {
		return nil
	}
	return e.followTo(ctx, t, held)
}

// isCurrent reports whether the certificate that was put in place last is the current version, as far as that is known: the vault
// returned it to this process, the version watch publishes it, or the store has no newer one. An agent that was killed before it
// reported a renewal leaves a newer one, which programs may use already; and after a roll-back, the newest is not the current one.
func (e *Engine) isCurrent(t task, held *certstore.Entry) bool {
	known := t.before.place
	switch {
	case held == nil:
		return known.thumbprint == "" // else it is missing, and the poll that follows puts it back
	case held.Thumbprint != known.thumbprint:
		return false
	case !t.before.poll.at.IsZero(), t.published.Fresh && t.published.Version == known.version:
		return true
	}
	versions, err := e.versionsOf(t)
	return err == nil && !slices.ContainsFunc(versions, func(other certstore.Entry) bool { return certstore.CompareVersions(other, *held) > 0 })
}

// followTo switches the programs of spec.usedBy to a certificate that is the current version.
func (e *Engine) followTo(ctx context.Context, t task, held *certstore.Entry) *usedby.Result {
	uses := usedby.Of(t.certificate)
	if len(uses) == 0 {
		return &usedby.Result{}
	}
	want, err := e.wantedOfUses(t, held)
	if err != nil {
		return nil // the certificate's own attempts report what cannot be read
	}
	result := e.follower().Follow(ctx, uses, want, e.usesBefore(t), e.Now())
	return &result
}

// usesDiffer reports whether a program of a certificate that is in place must be switched, or is in another state than was reported.
func (e *Engine) usesDiffer(t task, held *certstore.Entry) bool {
	uses := usedby.Of(t.certificate)
	if len(uses) == 0 {
		return len(t.before.entry.Uses) > 0
	}
	want, err := e.wantedOfUses(t, held)
	return err == nil && e.isCurrent(t, held) && e.follower().Differs(uses, want, e.usesBefore(t), e.Now())
}

func (e *Engine) follower() usedby.Follower {
	return usedby.Follower{Programs: e.Programs, AllowedServices: e.AllowedServices, Switched: e.Metrics.useSwitched}
}

func (e *Engine) usesBefore(t task) usedby.Before {
	return usedby.Before{
		States: t.before.entry.Uses, Thumbprint: t.before.entry.Thumbprint, Retry: t.before.programs.retry,
		NextRepair: t.before.repair.next(intervalOf(t.certificate), e.Now()),
	}
}

// wantedOfUses returns what the programs of a certificate should have.
func (e *Engine) wantedOfUses(t task, held *certstore.Entry) (usedby.Want, error) {
	want := usedby.Want{Ref: t.ref}
	versions, err := e.versionsOf(t)
	if err != nil {
		return want, err
	}
	for _, entry := range versions {
		want.Versions = append(want.Versions, entry.Thumbprint)
	}
	if before := t.before.place.thumbprint; before != "" { // it may carry the mark of another ObservedCertificate, or none
		want.Versions = append(want.Versions, before)
	}
	if usableIn(t.ref, held) && held.ValidAt(e.Now()) {
		want.Thumbprint, want.Access = held.Thumbprint, held.Access
	}
	return want, nil
}

// versionsOf returns the certificates with keys that carry the mark of an ObservedCertificate, in every store.
func (e *Engine) versionsOf(t task) ([]certstore.Entry, error) {
	seen, err := e.entries(certstore.Desired{Ref: t.ref, Mark: certstore.Mark{UID: string(t.certificate.UID)}}, nil)
	var versions []certstore.Entry
	for _, entries := range seen.Entries {
		for _, entry := range entries {
			if entry.Mark != nil && entry.Mark.UID == string(t.certificate.UID) && entry.Mark.Role == certstore.RoleLeaf {
				versions = append(versions, entry)
			}
		}
	}
	return versions, err
}

// keepForRunning returns the steps without the removal of versions that a program which runs may have read when it started: its
// configuration names the current version already, or none. They are removed after its restart.
func (e *Engine) keepForRunning(t task, current string, actions []certstore.Action) []certstore.Action {
	var running []string
	for i, action := range actions {
		step, removes := action.(*certstore.Remove)
		if !removes {
			continue
		}
		if running == nil {
			if running = e.follower().Running(usedby.Of(t.certificate), current); len(running) == 0 {
				return actions
			}
		}
		actions[i] = &certstore.Keep{Ref: step.Ref, Thumbprint: step.Thumbprint, Bound: running}
	}
	return actions
}

// resumeRecord counts failed attempts to start services that were stopped for their restart.
type resumeRecord struct {
	useRecord
	err error // of the last attempt
}

// resumeInterval is the longest time between two attempts to start services that were stopped for their restart.
const resumeInterval = 10 * time.Minute

// resumePrograms starts the services that an agent was killed in restarting, or that did not start. One that ends while it starts is
// not started in each check, and does not delay each by the minutes that it takes.
func (e *Engine) resumePrograms(ctx context.Context) error {
	if e.Programs == nil || e.resuming.retry.After(e.Now()) {
		return e.resuming.err
	}
	err := e.Programs.Resume(ctx)
	if err == nil {
		e.resuming = resumeRecord{}
		return nil
	}
	failures := e.resuming.failures + 1
	e.resuming = resumeRecord{useRecord{failures, e.Now().Add(schedule.Waiting(failures, resumeInterval, 0))}, err}
	return err
}

// afterUses returns the task after its programs were followed, for following them again in the same processing: what failed is not
// tried twice.
func (t task) afterUses(result usedby.Result, now time.Time) task {
	t.before.entry.Uses = result.States
	if result.Failed {
		t.before.programs.retry = latest(t.before.programs.retry, now.Add(time.Minute))
	}
	return t
}

// after returns the record after the programs were followed. A service that cannot be restarted is tried at most once a minute.
func (r useRecord) after(result usedby.Result, interval time.Duration, now time.Time, random float64) useRecord {
	switch {
	case !result.Failed:
		return useRecord{}
	case r.retry.After(now) && !result.Switched: // nothing was tried
		return r
	}
	return useRecord{failures: r.failures + 1, retry: now.Add(max(time.Minute, schedule.Waiting(r.failures+1, interval, random)))}
}
