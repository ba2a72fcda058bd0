package engine

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
	"github.com/vaultpane/vaultpane/internal/schedule"
)

// reportedFrom is the number of failures in a row from which a transient one is reported while the certificate is installed.
const reportedFrom = 3

// conclude remembers and reports an outcome, and returns what follows. Together with log it is the one place where an error
// becomes a state, a warning, a log line and a time.
func (e *Engine) conclude(ctx context.Context, out outcome) Result {
	after := remember(out, e.Now(), rand.Float64())
	after.due = next(e.MachineName, out, after)
	e.memory.put(out.certificate.Name, after)
	e.Reports.Set(after.entry)
	if out.poll.made {
		e.Metrics.poll(out)
	}
	return Result{Next: after.due, Warnings: logOutcome(ctx, out, after)}
}

// next returns when to process the certificate again; zero for when something changes.
func next(machine string, out outcome, after record) time.Time {
	switch {
	case !out.poll.deferred.IsZero():
		return out.poll.deferred
	case !after.poll.nextAttempt.IsZero():
		return after.poll.nextAttempt
	case out.poll.made && out.err != nil: // terminal
		return time.Time{}
	case out.poll.made:
		out.again = earliest(out.again, schedule.Next(machine, out.source, intervalOf(out.certificate), after.poll.at))
	}
	return earliest(out.again, after.accounts.retry)
}

// remember returns the record after an outcome. It is a pure function; random is in [0, 1).
func remember(out outcome, now time.Time, random float64) record {
	return rememberCertificate(out, now, random).withUses(out, now, random)
}

// rememberCertificate returns the record without what the programs of spec.usedBy have.
func rememberCertificate(out outcome, now time.Time, random float64) record {
	after := out.before
	after.uid, after.place.ref = out.certificate.UID, out.ref
	if out.source != "" {
		after.place.source = certstore.SourceOf(out.source)
	}
	if out.mark != (certstore.Mark{}) {
		after.place.mark = out.mark
	}
	if requestOf(out.certificate) == "" { // removed: the same value is a new request when it comes again
		after.poll.requestedAt, after.entry.RequestedAt = "", ""
	}
	if out.skipped {
		after.poll.skipped = now
	}
	switch {
	case out.certificate.Spec.Suspend:
		return after.suspended(out)
	case !out.poll.made:
		after.entry = keepState(out.entry, after.entry)
		after.repair = after.repair.after(out.repaired(), now)
		return after.withShortcomings(out, now, random)
	}
	known := after.entry
	after.poll.generation, after.poll.requestedAt = out.certificate.Generation, requestOf(out.certificate)
	after.poll.revision = out.poll.revision
	if out.entry.Thumbprint != "" {
		after.place.thumbprint, after.place.version = out.entry.Thumbprint, out.entry.Version
	}
	if out.poll.fetched.thumbprint != "" {
		after.poll.fetched = out.poll.fetched
	}
	after.kept = strings.Join(slices.Concat(out.repair.done.kept, out.poll.done.kept), "; ")
	after.entry = out.entry
	if out.err != nil {
		return after.failed(out, known, now, random)
	}
	after.poll.at, after.poll.attempt, after.poll.nextAttempt, after.poll.terminal, after.poll.target = now, 0, time.Time{}, false, ""
	after.place.generation = out.certificate.Generation
	after.repair = after.repair.after(out.repaired(), now)
	return after.withShortcomings(out, now, random)
}

// suspended returns the record of a certificate that is left alone. It is polled when the suspension ends.
func (r record) suspended(out outcome) record {
	requestedAt := r.entry.RequestedAt // only what was acted on
	r.entry = out.entry
	r.entry.State, r.entry.Reason, r.entry.RequestedAt = v1alpha1.StateSuspended, v1alpha1.ReasonSuspended, requestedAt
	r.poll.generation, r.poll.nextAttempt, r.poll.terminal, r.poll.attempt = 0, time.Time{}, false, 0
	r.accounts = accountRecord{}
	return r
}

// isShortcoming reports whether a reason says that something is missing on an installed certificate.
func isShortcoming(reason v1alpha1.Reason) bool {
	return reason == v1alpha1.ReasonLinkDeclined || reason == v1alpha1.ReasonUseFailed
}

// withShortcomings returns the record with what is missing on an installed certificate: accounts and links.
func (r record) withShortcomings(out outcome, now time.Time, random float64) record {
	r = r.withAccounts(out, now, random)
	if r.entry.State != v1alpha1.StateInstalled || r.entry.Reason != "" && !isShortcoming(r.entry.Reason) {
		return r // a worse reason is reported
	}
	r.entry.Reason, r.entry.Message = "", out.declined
	if out.declined != "" {
		r.entry.Reason = v1alpha1.ReasonLinkDeclined
	}
	return r
}

// withUses returns the record with what the programs of spec.usedBy have. Their failures are reported where nothing worse is.
func (r record) withUses(out outcome, now time.Time, random float64) record {
	r.entry.Uses = usedby.Reported(usedby.Of(out.certificate), out.before.entry.Uses)
	if out.uses != nil {
		r.entry.Uses, r.programs = out.uses.States, r.programs.after(*out.uses, intervalOf(out.certificate), now, random)
	}
	failures := usedby.Failures(r.entry.Uses)
	if failures == "" && r.entry.Reason == v1alpha1.ReasonUseFailed { // as it was reported before a poll that failed
		r.entry.Reason, r.entry.Message = "", ""
	}
	if failures == "" || r.entry.State != v1alpha1.StateInstalled || r.entry.Reason != "" && r.entry.Reason.Class() != v1alpha1.ClassNone {
		return r
	}
	if r.entry.Message != "" && r.entry.Reason == v1alpha1.ReasonLinkDeclined {
		failures += "; " + r.entry.Message
	}
	r.entry.Reason, r.entry.Message = v1alpha1.ReasonUseFailed, failures
	return r
}

// withAccounts returns the record with accounts that could not be resolved, and when to look them up again: that costs no
// request, so the vault is not asked more often for it.
func (r record) withAccounts(out outcome, now time.Time, random float64) record {
	if out.accountsErr == nil {
		r.accounts = accountRecord{}
		if r.entry.Reason == v1alpha1.ReasonAccountNotFound {
			r.entry.State, r.entry.Reason, r.entry.Message, r.entry.Since = v1alpha1.StateInstalled, "", "", nil
		}
		return r
	}
	if !now.Before(r.accounts.retry) {
		r.accounts.failures++
		r.accounts.retry = now.Add(schedule.Waiting(r.accounts.failures, intervalOf(out.certificate), random))
	}
	if r.entry.Reason == "" || r.entry.Reason == v1alpha1.ReasonAccountNotFound {
		found := failure.Of(out.accountsErr)
		r.entry.State, r.entry.Reason, r.entry.Message = v1alpha1.StateFailed, found.Reason, found.Message
	}
	return r
}

// failed returns the record after a failed poll. known is the entry as it was reported before.
func (r record) failed(out outcome, known v1alpha1.CertificateEntry, now time.Time, random float64) record {
	found := failure.Of(out.err)
	r.poll.attempt++
	r.poll.target = out.poll.target
	if out.before.poll.generation != out.certificate.Generation {
		r.poll.attempt = 1 // another spec starts again
	}
	interval := intervalOf(out.certificate)
	r.poll.terminal, r.poll.nextAttempt = false, time.Time{}
	switch found.Reason.Class() {
	case v1alpha1.ClassTerminal:
		r.poll.terminal = true
		r.entry.State = v1alpha1.StateFailed
	case v1alpha1.ClassWaiting:
		r.poll.nextAttempt = now.Add(schedule.Waiting(r.poll.attempt, interval, random))
		r.entry.State = v1alpha1.StateFailed
		if found.Until.After(now) {
			r.entry.State = v1alpha1.StatePending
			// The whole fleet knows the same moment: its requests are spread over a minute.
			spread := time.Duration(random * float64(min(time.Minute, interval/10)))
			r.poll.nextAttempt = earliest(found.Until, now.Add(interval)).Add(spread)
		}
	default:
		r.poll.nextAttempt = now.Add(schedule.Transient(r.poll.attempt, interval, found.RetryAfter, random))
		if out.entry.Thumbprint != "" && r.poll.attempt < reportedFrom {
			r.entry = keepState(out.entry, known)
			return r // most transient failures end before anyone could act on them
		}
		r.entry.State = v1alpha1.StatePending
	}
	if out.staysCurrent() {
		r.entry.State = v1alpha1.StateInstalled // the reason says that a renewal would not be installed
	}
	if out.accountsErr != nil && out.entry.Thumbprint != "" { // an account without access is worse than a failed poll
		found, r.entry.State = failure.Of(out.accountsErr), v1alpha1.StateFailed
	}
	r.entry.Reason, r.entry.Message = found.Reason, found.Message
	return r
}

// staysCurrent reports whether a failure leaves the machine with what it should have: a valid certificate as the spec asks for it,
// which was Installed before, and the vault returned nothing newer.
func (o outcome) staysCurrent() bool {
	var content *bundle.Error // of a newer version, which cannot be used
	if errors.As(o.err, &content) || !o.poll.asked || o.poll.fetched.thumbprint != "" || o.entry.Thumbprint == "" || !o.valid {
		return false
	}
	fetched := o.before.poll.fetched.thumbprint
	newer := fetched != "" && fetched != o.entry.Thumbprint // and could not be put in place
	return !newer && o.before.place.generation == o.certificate.Generation && o.before.entry.State == v1alpha1.StateInstalled
}

// keepState returns the entry of a certificate that was not polled, or whose poll failed: what the store holds, and what was
// known before.
func keepState(entry, known v1alpha1.CertificateEntry) v1alpha1.CertificateEntry {
	entry.State, entry.Reason, entry.Message, entry.Since = known.State, known.Reason, known.Message, known.Since
	entry.Generation, entry.RequestedAt = known.Generation, known.RequestedAt // only what was acted on
	switch {
	case known.State == v1alpha1.StateSuspended,
		entry.Thumbprint == "" && entry.State == v1alpha1.StateInstalled && (entry.Reason == "" || isShortcoming(entry.Reason)):
		entry.State, entry.Reason, entry.Message = v1alpha1.StatePending, v1alpha1.ReasonPending, ""
	case entry.Thumbprint == "" && entry.State == v1alpha1.StateInstalled:
		entry.State = v1alpha1.StatePending // it is gone, and the polls that would bring it back fail
	}
	return entry
}
