package certstore

import "time"

// Tend returns the steps that bring what an ObservedCertificate has in the stores back to what is wanted of it, as far as
// that takes nothing from the vault: marks, who may use the key, and, while it is valid, the links to the current
// certificate, which is nil where none is in place. The bundle of desired is not needed. Nothing is done to a certificate that is not Vaultpane's, or
// not this ObservedCertificate's.
func Tend(desired Desired, current *Entry, observed Observed, now time.Time) []Action {
	actions := planOthers(desired, current, observed)
	if current == nil || current.UnknownMark || current.Key != KeyPresent || desired.Mark.Role != RoleLeaf {
		return actions
	}
	switch {
	case current.Mark != nil && current.Mark.UID == desired.Mark.UID:
		installed := *current.Mark // what it says of version, source and key is what was installed
		installed.DeletionPolicy = desired.Mark.DeletionPolicy
		desired.Mark = installed
	case current.Mark != nil || !current.OwnKey:
		return actions
	}
	settled := len(actions) == 0 // a link depends on the rights of both ends: it follows when they are right
	actions = append(actions, planProperties(desired, current)...)
	if !settled || !validAt(current.Certificate, now) {
		return actions // nobody is to be sent to a certificate that is not valid
	}
	return append(actions, linksTo(desired, current.Certificate, current, observed)...)
}

// planOthers brings everything that this ObservedCertificate has beside its current certificate in line with the spec:
// superseded versions and intermediates get its deletion policy into their marks, which are what is followed when it is
// gone, and the keys of superseded versions are for the same accounts as the current one's.
func planOthers(desired Desired, current *Entry, observed Observed) []Action {
	var actions []Action
	for _, ref := range observed.refs() {
		for _, entry := range observed.Entries[ref] {
			if entry.Mark == nil || entry.Mark.UID != desired.Mark.UID {
				continue
			}
			if current != nil && ref.Same(desired.Ref) && entry.Thumbprint == current.Thumbprint && entry.Mark.Role == RoleLeaf {
				continue // in one step with its other properties
			}
			change := otherChange(desired, ref, entry)
			if change != (Change{}) {
				actions = append(actions, &Update{Ref: ref, Thumbprint: entry.Thumbprint, Change: change})
			}
		}
	}
	return actions
}

func otherChange(desired Desired, ref Ref, entry Entry) Change {
	var change Change
	if entry.Mark.DeletionPolicy != desired.Mark.DeletionPolicy {
		changed := *entry.Mark
		changed.DeletionPolicy = desired.Mark.DeletionPolicy
		change.Mark = &changed
	}
	keyed := entry.OwnKey && entry.Key == KeyPresent && ref.Location == desired.Ref.Location
	if keyed && !desired.grants(entry) {
		access := desired.AccessTo(entry.Thumbprint)
		change.Access = &access
	}
	return change
}
