package engine

import (
	"context"
	"slices"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/schedule"
)

// begin returns a certificate with what is remembered of it. After a restart that is what was reported before; an object of the
// same name under another UID is another certificate.
func (e *Engine) begin(certificate *v1alpha1.ObservedCertificate) (t task) {
	t = task{certificate: certificate, ref: storeRef(certificate.Spec)}
	if e.Publications != nil {
		t.published = e.Publications.Of(certificate)
		defer func() { t.before.poll.seen = t.before.poll.seen.note(t.published, e.Now()) }()
	}
	if known, ok := e.memory.get(certificate.Name); ok && known.uid == certificate.UID {
		t.before = known
		return t
	}
	t.before = record{uid: certificate.UID, place: place{ref: t.ref}}
	if !certificate.CreationTimestamp.After(e.Started) {
		t.before = e.recall(t)
		e.memory.put(certificate.Name, t.before) // the spread must not be drawn again
	}
	return t
}

// clockSkew is how far the machine's clock may be behind the API server's without a report looking older than its object.
const clockSkew = 5 * time.Minute

// recall returns the record of a certificate that an earlier agent may have reported.
func (e *Engine) recall(t task) record {
	fresh := t.before
	fresh.poll.notBefore = e.Started.Add(schedule.Spread(e.InitialSpread))
	previous, reported := e.Previous[t.certificate.Name]
	if reported && previous.Since != nil && previous.Since.Time.Before(t.certificate.CreationTimestamp.Add(-clockSkew)) {
		e.Reports.Drop(t.certificate.Name) // it is about an earlier object of the same name
		reported = false
	}
	if !reported {
		return fresh
	}
	return fresh.resume(previous, e.installedFor(t.certificate, t.ref, previous.Thumbprint))
}

// resume returns the record with what was reported before a restart. Without proof that the report is about this very object,
// the certificate is polled again.
func (r record) resume(previous v1alpha1.CertificateEntry, proven bool) record {
	r.entry = previous
	if !proven {
		r.entry.Generation, r.entry.RequestedAt = 0, ""
		return r
	}
	r.place.thumbprint, r.place.version = previous.Thumbprint, previous.Version
	if previous.State != v1alpha1.StateInstalled {
		return r
	}
	r.place.generation = previous.Generation
	if previous.Reason == "" || previous.Reason.Class() == v1alpha1.ClassNone { // else the polls failed, and one is made soon
		r.poll.generation, r.poll.requestedAt = previous.Generation, previous.RequestedAt
	}
	return r
}

// installedFor reports whether the store proves that a certificate was installed for this object: by its mark, or by that of
// another object which shares it. The report before a restart names no UID, and may be that of an earlier object of the same
// name: its generation says nothing then, since both began with 1.
func (e *Engine) installedFor(certificate *v1alpha1.ObservedCertificate, ref certstore.Ref, thumbprint string) bool {
	held, err := e.view().Find(ref, thumbprint)
	return err == nil && held != nil && held.Mark != nil &&
		(held.Mark.UID == string(certificate.UID) || held.Mark.Name != certificate.Name)
}

// observe reads what the store holds for a certificate: the one it should have, or after a restart without a report the newest
// that carries its mark.
func (e *Engine) observe(t task) (observation, error) {
	held, err := e.find(t)
	return t.observed(held, t.before.place.version, e.Now()), err
}

func (e *Engine) find(t task) (*certstore.Entry, error) {
	if known := t.before.place; known.thumbprint != "" && known.ref.Same(t.ref) {
		return e.view().Find(t.ref, known.thumbprint)
	}
	entries, err := e.view().Relevant(t.ref, string(t.before.uid))
	if err != nil {
		return nil, err
	}
	entries = slices.DeleteFunc(entries, func(e certstore.Entry) bool { return e.Mark == nil || e.Mark.Role == certstore.RoleIntermediate })
	if len(entries) == 0 {
		return nil, nil
	}
	newest := slices.MaxFunc(entries, certstore.CompareVersions)
	return &newest, nil
}

// surroundings returns what the plan of one certificate needs to know: entries with its mark in every store that has been read, the
// desired certificates of any owner, and, only where it can matter, the other ObservedCertificates: a thousand certificates must
// not read a thousand each.
func (e *Engine) surroundings(ctx context.Context, desired certstore.Desired) (certstore.Observed, error) {
	current := certstore.Thumbprint(desired.Current())
	thumbprints := []string{current}
	for _, companion := range desired.Companions() {
		thumbprints = append(thumbprints, companion.Thumbprint)
	}
	found, err := e.entries(desired, thumbprints)
	if err != nil {
		return found, err
	}
	superseded, shared := false, false
	for _, entries := range found.Entries {
		for _, entry := range entries {
			own := entry.Mark != nil && entry.Mark.UID == desired.Mark.UID
			superseded = superseded || own && entry.Mark.Role != certstore.RoleIntermediate && entry.Thumbprint != current
			shared = shared || entry.Mark != nil && !own && entry.Mark.Role != certstore.RoleIntermediate
		}
	}
	if shared {
		if found.Owners, err = e.owners(ctx); err != nil {
			return found, err
		}
	}
	if superseded && (desired.HistoryLimit != nil || desired.Mark.DeletionPolicy == string(v1alpha1.DeletionDelete)) {
		found.Bound = e.bindings(found)
		var all claimed
		all, err = e.claims(ctx)
		found.Claims = all.claims
	}
	return found, err
}

// entries returns what an ObservedCertificate has in every store that has been read, in its own and in CA, and those of some
// thumbprints of any owner.
func (e *Engine) entries(desired certstore.Desired, thumbprints []string) (certstore.Observed, error) {
	// What was left in a store before the start must be known; the store check reports what cannot be read.
	e.searched.Do(func() { _ = e.search() })
	found := certstore.Observed{Entries: map[certstore.Ref][]certstore.Entry{}}
	authorities := certstore.Ref{Location: desired.Ref.Location, Name: certstore.StoreCA}
	var read []certstore.Ref
	for _, ref := range append(e.view().Refs(), desired.Ref, authorities) {
		if slices.ContainsFunc(read, ref.Same) {
			continue
		}
		read = append(read, ref)
		entries, err := e.view().Relevant(ref, desired.Mark.UID, thumbprints...)
		if err != nil {
			return certstore.Observed{}, err
		}
		found.Entries[ref] = entries
	}
	return found, nil
}

// bindings returns what the machine serves with which certificate. Where that cannot be read, everything may be in use.
func (e *Engine) bindings(found certstore.Observed) map[string][]string {
	bound, err := e.Machine.Bindings()
	if err == nil {
		return bound
	}
	bound = map[string][]string{}
	for _, entries := range found.Entries {
		for _, entry := range entries {
			bound[entry.Thumbprint] = []string{"unknown bindings: " + err.Error()}
		}
	}
	return bound
}

// owners returns the ObservedCertificates that target this machine, by UID.
func (e *Engine) owners(ctx context.Context) (map[string]certstore.Owner, error) {
	certificates, err := e.Certificates.List(ctx)
	if err != nil {
		return nil, err
	}
	owners := make(map[string]certstore.Owner, len(certificates))
	for _, one := range certificates {
		owners[string(one.UID)] = certstore.Owner{Name: one.Name, Created: one.CreationTimestamp.Time}
	}
	return owners, nil
}
