package engine

import (
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Publications tells which version of a certificate the controller's version watch published.
type Publications interface {
	// Of returns what is published for this machine; the zero value where nothing is.
	Of(certificate *v1alpha1.ObservedCertificate) Publication
}

// Publication is what the version watch says of one certificate.
type Publication struct {
	// Version is the version that machines should have, empty where none is published for this spec.
	Version string
	// Created is when that version was created in the vault, as in certstore.Mark; 0 if it is not known.
	Created int64
	// RollbackFrom is a newer version that must not be used any more, empty for none.
	RollbackFrom string
	// Fresh is set while the version watch sees the vault: a slot needs no poll then.
	Fresh bool
	// Wait is how long after it saw the version the machine fetches it.
	Wait time.Duration
	// Turn is the machine's place in a roll-out in waves; nil without waves.
	Turn *Turn
}

// Turn is a machine's place in a roll-out in waves.
type Turn struct {
	// Come is set when the machine's wave may have the published version.
	Come bool
	// Remaining is the sum of the pauses before the machine's wave.
	Remaining time.Duration
}

// installed is the version that a machine has.
type installed struct {
	inPlace             bool // it is in the store, with its key, as it should be
	otherSecret         bool // it came from the URL before the current one
	version             string
	created             int64 // of the version in the vault, 0 if it is not known
	notBefore, notAfter time.Time
}

// installedOf returns what the store holds. inPlace is false where something of it is missing. source is that of the secret's mark;
// fetched has what a certificate that another tool installed, and that has no mark, does not tell.
func installedOf(seen observation, inPlace bool, source string, fetched vaultVersion) installed {
	if seen.held == nil {
		return installed{}
	}
	has := installed{
		inPlace: inPlace, version: seen.entry.Version,
		notBefore: seen.held.Certificate.NotBefore, notAfter: seen.held.Certificate.NotAfter,
	}
	switch {
	case seen.held.Mark != nil:
		has.created = seen.held.Mark.Created
	case fetched.version == has.version:
		has.created = fetched.created
	}
	if seen.mark.Source != "" && seen.mark.Source != source {
		has.otherSecret, has.version, has.created = true, "", 0 // which say nothing of this secret
	}
	return has
}

// leastMargin is the least time before its expiry at which a machine stops waiting for its wave. The margin is a tenth of the
// certificate's lifetime, at most a day.
const leastMargin = time.Minute

// deadline is when a machine stops waiting for its wave: early enough that the pauses that remain, and some retries, are over
// before the certificate expires.
func (t Turn) deadline(has installed) time.Time {
	margin := max(leastMargin, min(has.notAfter.Sub(has.notBefore)/10, 24*time.Hour))
	return has.notAfter.Add(-t.Remaining - margin)
}

// waits reports whether a machine keeps what it has until its wave comes. One whose certificate is missing, not valid or about to
// expire does not.
func (p Publication) waits(has installed, now time.Time) bool {
	return p.Turn != nil && !p.Turn.Come && has.inPlace && !p.rollsBack(has) && !now.Before(has.notBefore) && now.Before(p.Turn.deadline(has))
}

// rollsBack reports whether what a machine has must not be used any more. It does not wait for its wave then. A machine with an older
// version does: a version that was never rolled out may be disabled while the one before it is in its first wave. While the watch is
// stale, only the version that it named counts: another one may have been created since.
func (p Publication) rollsBack(has installed) bool {
	return p.RollbackFrom != "" && has.inPlace && has.version != p.Version &&
		(has.version == p.RollbackFrom || p.Fresh && p.Created != 0 && p.Created < has.created)
}

// isOlder reports whether the published version is older than what the machine has, although that may still be used: the machine
// asked the vault after the version watch did.
func (p Publication) isOlder(has installed) bool {
	return has.inPlace && p.Created != 0 && p.Created < has.created && !p.rollsBack(has)
}

// supersedes reports whether a machine should fetch the published version instead of what it has.
func (p Publication) supersedes(has installed, now time.Time) bool {
	return p.Version != "" && (!has.inPlace || has.version != p.Version) && !p.isOlder(has) && !p.waits(has, now)
}

// confirms reports whether the version watch makes a poll at a slot unnecessary: it sees the vault, and the machine has what it should.
// One with a newer version than the published one polls: a vault that was restored from a backup no longer has that version.
func (p Publication) confirms(has installed, now time.Time) bool {
	return p.Fresh && has.inPlace && p.Version != "" && (has.version == p.Version || p.waits(has, now))
}

// lookAgain returns when a machine stops waiting for waves, zero without them, or where it does not wait.
func (p Publication) lookAgain(has installed, now time.Time) time.Time {
	if p.Turn == nil || !has.inPlace || p.isUrgent(has, now) {
		return time.Time{}
	}
	return p.Turn.deadline(has)
}

// isUrgent reports whether a machine does not wait for waves because its certificate is about to expire: neither for its own, nor, where
// it has the published version, for a newer one whose waves do not start while the watch is stale.
func (p Publication) isUrgent(has installed, now time.Time) bool {
	return p.Turn != nil && has.inPlace && !now.Before(p.Turn.deadline(has))
}

// versionsToAsk returns the version to ask the vault for, empty for the newest; and the one to take if that one must not be used,
// empty for none. requested is set where a person asks for the newest.
func (p Publication) versionsToAsk(has installed, requested bool, now time.Time) (first, otherwise string) {
	switch {
	case p.waits(has, now):
		return has.version, ""
	case p.Turn != nil && p.Version != "" && (p.Turn.Come || p.rollsBack(has)) && (p.Fresh || !p.isUrgent(has, now)):
		if p.isOlder(has) {
			return has.version, ""
		}
		return p.Version, "" // the newest in the vault may not have had its first wave
	case requested || !p.Fresh || p.isOlder(has):
		return "", p.fallback(has)
	}
	return p.Version, ""
}

// fallback returns the version to take while the newest in the vault must not be used, empty for none. The publication may be hours
// old: a machine keeps what it has, unless the published version is newer or replaces that very version.
func (p Publication) fallback(has installed) string {
	isNewer := has.created != 0 && p.Created > has.created
	replaces := p.RollbackFrom != "" && p.RollbackFrom == has.version
	if !has.inPlace || has.otherSecret || has.version == p.Version || isNewer || replaces {
		return p.Version
	}
	return ""
}

// sighting is when a machine first saw a publication.
type sighting struct {
	version string
	come    bool // its wave had come
	at      time.Time
}

// note returns the sighting of a publication, which is the one before where nothing has changed.
func (s sighting) note(p Publication, now time.Time) sighting {
	seen := sighting{version: p.Version, come: p.Turn == nil || p.Turn.Come, at: now}
	if s.version == seen.version && s.come == seen.come {
		return s
	}
	return seen
}
