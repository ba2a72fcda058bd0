package agent

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/schedule"
)

// lasting is the number of failures in a row from which a transient one is reported while the certificate is installed.
const lasting = 3

// conclude remembers and reports an outcome, and says when to look again. It is the one place where an error becomes a
// state, an event, a log line and a time.
func (r *Reconciler) conclude(ctx context.Context, certificate *v1alpha1.ObservedCertificate, out outcome) reconcile.Result {
	now := r.Now()
	updated := remember(certificate, out, now, rand.Float64())
	updated.due = r.again(certificate, out, updated)
	r.records.put(certificate.Name, updated)
	r.Reporter.Set(updated.entry)
	if out.polled {
		r.Metrics.poll(out)
	}
	r.tell(ctx, certificate, out, updated)
	if updated.due.IsZero() {
		return reconcile.Result{} // waits for the spec, the annotation or the store check
	}
	return reconcile.Result{RequeueAfter: max(updated.due.Sub(now), time.Millisecond)}
}

// again returns when to look at the certificate again; zero for when something changes.
func (r *Reconciler) again(certificate *v1alpha1.ObservedCertificate, out outcome, updated record) time.Time {
	switch {
	case !out.turn.IsZero():
		return out.turn
	case !updated.nextAttempt.IsZero():
		return updated.nextAttempt
	case out.polled && out.err != nil: // terminal
		return time.Time{}
	case out.polled:
		out.again = soonerOf(out.again, schedule.Next(r.Node, out.url, intervalOf(certificate), updated.polledAt))
	}
	return soonerOf(out.again, updated.lookAt)
}

// remember returns the record after an outcome. It is a pure function; random is in [0, 1).
func remember(certificate *v1alpha1.ObservedCertificate, out outcome, now time.Time, random float64) record {
	updated := out.remembered
	updated.uid, updated.ref = certificate.UID, out.ref
	if out.url != "" {
		updated.source = certstore.SourceOf(out.url)
	}
	if out.mark != (certstore.Mark{}) {
		updated.mark = out.mark
	}
	if requestOf(certificate) == "" {
		updated.requestedAt, updated.entry.RequestedAt = "", "" // taken away: the same value is a new request when it comes again
	}
	done := updated.entry.RequestedAt
	switch {
	case certificate.Spec.Suspend:
		updated.generation, updated.nextAttempt, updated.terminal, updated.attempt = 0, time.Time{}, false, 0
		updated.complaints, updated.lookAt = 0, time.Time{}
		updated.entry = out.entry
		updated.entry.State, updated.entry.Reason = v1alpha1.StateSuspended, v1alpha1.ReasonSuspended
		updated.entry.RequestedAt = done
		return updated
	case !out.polled:
		updated.entry = keepState(out.entry, updated)
		updated.repairs, updated.repairedAt = countRepairs(out, now)
		updated.note(certificate, out, now, random)
		return updated
	}
	updated.generation = certificate.Generation
	updated.requestedAt = requestOf(certificate)
	if out.entry.Thumbprint != "" {
		updated.thumbprint, updated.version = out.entry.Thumbprint, out.entry.Version
	}
	if out.fetched != "" {
		updated.fetched, updated.fetchedAs, updated.companions = out.fetched, out.fetchedAs, out.companions
	}
	updated.kept = strings.Join(out.done.kept, "; ")
	if out.err == nil {
		updated.polledAt, updated.attempt, updated.nextAttempt, updated.terminal = now, 0, time.Time{}, false
		updated.entry, updated.installed = out.entry, certificate.Generation
		updated.repairs, updated.repairedAt = countRepairs(out, now)
		updated.note(certificate, out, now, random)
		return updated
	}
	return rememberFailure(certificate, updated, out, now, random)
}

// note reports what keeps a certificate that is in place from being all that the spec asks for.
func (r *record) note(certificate *v1alpha1.ObservedCertificate, out outcome, now time.Time, random float64) {
	r.noteAccounts(out.problem, intervalOf(certificate), now, random)
	if r.entry.State != v1alpha1.StateInstalled || r.entry.Reason != "" && r.entry.Reason != v1alpha1.ReasonLinkDeclined {
		return // something worse is reported
	}
	r.entry.Reason, r.entry.Message = "", out.declined
	if out.declined != "" {
		r.entry.Reason = v1alpha1.ReasonLinkDeclined
	}
}

// noteAccounts reports accounts that are not known, and says when to look for them again: that costs no request, so the vault
// is not asked more often for it.
func (r *record) noteAccounts(problem error, interval time.Duration, now time.Time, random float64) {
	if problem == nil {
		r.complaints, r.lookAt = 0, time.Time{}
		if r.entry.Reason == v1alpha1.ReasonAccountNotFound {
			r.entry.State, r.entry.Reason, r.entry.Message, r.entry.Since = v1alpha1.StateInstalled, "", "", nil
		}
		return
	}
	if !now.Before(r.lookAt) {
		r.complaints++
		r.lookAt = now.Add(schedule.Waiting(r.complaints, interval, random))
	}
	if r.entry.Reason == "" || r.entry.Reason == v1alpha1.ReasonAccountNotFound {
		found := explain(problem)
		r.entry.State, r.entry.Reason, r.entry.Message = v1alpha1.StateFailed, found.reason, found.message
	}
}

func rememberFailure(certificate *v1alpha1.ObservedCertificate, updated record, out outcome, now time.Time, random float64) record {
	found := explain(out.err)
	updated.attempt++
	if out.remembered.generation != certificate.Generation {
		updated.attempt = 1 // another spec starts anew
	}
	interval := intervalOf(certificate)
	updated.terminal, updated.nextAttempt = false, time.Time{}
	updated.entry = out.entry
	switch found.reason.Class() {
	case v1alpha1.ClassTerminal:
		updated.terminal = true
		updated.entry.State = v1alpha1.StateFailed
	case v1alpha1.ClassWaiting:
		updated.nextAttempt = now.Add(schedule.Waiting(updated.attempt, interval, random))
		updated.entry.State = v1alpha1.StateFailed
		if found.until.After(now) {
			updated.entry.State = v1alpha1.StatePending
			// The whole fleet knows the same moment: it comes back spread over a minute.
			spread := time.Duration(random * float64(min(time.Minute, interval/10)))
			updated.nextAttempt = earlierOf(found.until, now.Add(interval)).Add(spread)
		}
	default:
		updated.nextAttempt = now.Add(schedule.Transient(updated.attempt, interval, found.retryAfter, random))
		if out.entry.Thumbprint != "" && updated.attempt < lasting {
			updated.entry = keepState(out.entry, out.remembered)
			return updated // it usually has gone before anyone could look
		}
		updated.entry.State = v1alpha1.StatePending
	}
	if out.staysCurrent(certificate) {
		updated.entry.State = v1alpha1.StateInstalled // the reason tells that a renewal would not arrive
	}
	if out.problem != nil && out.entry.Thumbprint != "" { // an account without access is worse than a poll that failed
		found, updated.entry.State = explain(out.problem), v1alpha1.StateFailed
	}
	updated.entry.Reason, updated.entry.Message = found.reason, found.message
	return updated
}

// staysCurrent reports whether a failure leaves the node with what it should have: a valid certificate as the spec wants it, which
// was all well before, and the vault has given nothing newer.
func (o outcome) staysCurrent(certificate *v1alpha1.ObservedCertificate) bool {
	var content *bundle.Error // of a newer version, which is of no use
	if errors.As(o.err, &content) || !o.asked || o.fetched != "" || o.entry.Thumbprint == "" || !o.valid {
		return false
	}
	before := o.remembered
	newer := before.fetched != "" && before.fetched != o.entry.Thumbprint // and could not be put in place
	return !newer && before.installed == certificate.Generation && before.entry.State == v1alpha1.StateInstalled
}

// keepState returns the entry of a certificate that was not polled, or in vain: what the store holds, and what was known
// before.
func keepState(entry v1alpha1.CertificateEntry, known record) v1alpha1.CertificateEntry {
	entry = withState(entry, known.entry)
	entry.Generation, entry.RequestedAt = known.entry.Generation, known.entry.RequestedAt // only what was acted on
	switch {
	case known.entry.State == v1alpha1.StateSuspended,
		entry.Thumbprint == "" && entry.State == v1alpha1.StateInstalled && (entry.Reason == "" || entry.Reason == v1alpha1.ReasonLinkDeclined):
		entry.State, entry.Reason, entry.Message = v1alpha1.StatePending, v1alpha1.ReasonPending, ""
	case entry.Thumbprint == "" && entry.State == v1alpha1.StateInstalled:
		entry.State = v1alpha1.StatePending // it is gone, and the polls that would bring it back fail
	}
	return entry
}

// withState carries the state of one entry over to another.
func withState(entry, before v1alpha1.CertificateEntry) v1alpha1.CertificateEntry {
	entry.State, entry.Reason, entry.Message, entry.Since = before.State, before.Reason, before.Message, before.Since
	return entry
}

// countRepairs counts repairs of drift that follow each other within an hour.
func countRepairs(out outcome, now time.Time) (int, time.Time) {
	before := out.remembered
	switch {
	case out.repaired && now.Sub(before.repairedAt) < peace:
		return before.repairs + 1, now
	case out.repaired:
		return 1, now
	case now.Sub(before.repairedAt) >= peace:
		return 0, time.Time{}
	}
	return before.repairs, before.repairedAt
}

func earlierOf(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
