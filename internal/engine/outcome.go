package engine

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
)

// task is one certificate to process, with what is remembered of it.
type task struct {
	certificate *v1alpha1.ObservedCertificate
	before      record
	ref         certstore.Ref
	published   Publication
}

// hasDrifted reports whether the certificate was in place under the same spec before, and is no longer.
func (t task) hasDrifted(inPlace bool) bool {
	return !inPlace && t.before.place.thumbprint != "" && t.before.poll.generation == t.certificate.Generation
}

// observation is what the store holds for a certificate.
type observation struct {
	held  *certstore.Entry          // nil for nothing
	entry v1alpha1.CertificateEntry // the report, as far as the store tells it
	mark  certstore.Mark            // its mark where it is this ObservedCertificate's, else empty
	valid bool                      // it is valid now
}

// observed returns the observation of a store entry. Its version is the one in its mark, otherwise the one given.
func (t task) observed(held *certstore.Entry, version string, now time.Time) observation {
	seen := observation{held: held, valid: held != nil && held.ValidAt(now), entry: v1alpha1.CertificateEntry{
		Name: t.certificate.Name, Generation: t.certificate.Generation, RequestedAt: requestOf(t.certificate),
	}}
	if held != nil && held.Mark != nil && held.Mark.UID == string(t.certificate.UID) {
		seen.mark, version = *held.Mark, held.Mark.Version
	}
	if usableIn(t.ref, held) {
		notAfter := metav1.NewTime(held.Certificate.NotAfter)
		seen.entry.Thumbprint, seen.entry.Version, seen.entry.NotAfter = held.Thumbprint, version, &notAfter
	}
	return seen
}

// usableIn reports whether a certificate is in a store as what the store is for: with its key, or in one that holds trust.
func usableIn(ref certstore.Ref, entry *certstore.Entry) bool {
	return entry != nil && (entry.Key == certstore.KeyPresent || certstore.HoldsTrust(ref))
}

// repairResult is what became of bringing back what a certificate has in the stores.
type repairResult struct {
	drift bool      // something else had changed it
	done  performed // in the store
	again time.Time // when it may be repaired again, where that was too soon; zero for never
}

// performed is what became of a plan.
type performed struct {
	changed bool     // the store was changed
	kept    []string // what was not removed because it is in use, and by what
}

// pollResult is what became of asking the vault, which was due.
type pollResult struct {
	made     bool         // the poll was attempted: a failure counts
	asked    bool         // a request was made: the spec can be acted on
	target   string       // the published version that was asked for, empty for the newest
	revision string       // of the ConfigMap that was read, empty for a secret
	deferred time.Time    // until when the request is deferred, because others are asking the vault; zero where it was made
	fetched  vaultVersion // what the vault returned
	seen     *observation // what the store holds after it was installed, nil where it is not in place
	done     performed    // in the store
	drift    bool         // it was made to repair drift

	uses *usedby.Result // of the programs, after it was installed; nil where they were not followed
}

// found returns what the store holds after the poll, where it held another thing before.
func (p pollResult) found(before observation) observation {
	if p.seen != nil {
		return *p.seen
	}
	return before
}

// outcome is what became of a task.
type outcome struct {
	task
	observation                // what the store holds in the end
	source      string         // where it comes from, in its shortest form; empty where the spec cannot be acted on
	repair      repairResult   // of what was in the store
	poll        pollResult     // of the vault
	skipped     bool           // a slot came, and the version watch made the poll unnecessary
	again       time.Time      // when to look again, where the poll was not due; zero for when something changes
	accountsErr error          // of accounts that could not be resolved, which stops nothing
	uses        *usedby.Result // of the programs of spec.usedBy; nil where they were not followed
	declined    string         // why linkOnRenewal does not link an older version, empty where it does
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
func (o outcome) repaired() bool {
	return o.repair.drift || o.poll.drift || o.uses != nil && o.uses.Drift
}
