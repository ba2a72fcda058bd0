package certstore

import "time"

// Repair returns the actions that restore the desired state of an ObservedCertificate's certificates without its vault: marks,
// access lists of keys, and links to the current certificate while that is valid. current is nil if none is installed. The
// bundle of desired is not needed. Certificates of other tools or other ObservedCertificates are not changed.
func Repair(desired Desired, current *Entry, observed Observed, now time.Time) []Action {
	actions := planOthers(desired, current, observed)
	if current == nil || current.UnknownMark || current.Key != KeyPresent || desired.Mark.Role != RoleLeaf {
		return actions
	}
	switch {
	case current.Mark != nil && current.Mark.UID == desired.Mark.UID:
		installed := *current.Mark // with the version, source and key options of the installation
		installed.DeletionPolicy = desired.Mark.DeletionPolicy
		desired.Mark = installed
	case current.Mark != nil || !current.OwnKey:
		return actions
	}
	settled := len(actions) == 0 // a link depends on the access lists of both ends: it is set after they are repaired
	actions = append(actions, planProperties(desired, current)...)
	if !settled || !validAt(current.Certificate, now) {
		return actions // no link may lead to a certificate that is not valid
	}
	return append(actions, linksTo(desired, current.Certificate, current, observed)...)
}

// planOthers updates the other certificates of this ObservedCertificate: the marks of superseded versions and intermediates get its
// deletion policy, which applies after it was deleted, and the keys of superseded versions get the access list of the current
// one.
func planOthers(desired Desired, current *Entry, observed Observed) []Action {
	var actions []Action
	for _, ref := range observed.refs() {
		for _, entry := range observed.Entries[ref] {
			if entry.Mark == nil || entry.Mark.UID != desired.Mark.UID {
				continue
			}
			if current != nil && ref.Same(desired.Ref) && entry.Thumbprint == current.Thumbprint && entry.Mark.Role == RoleLeaf {
				continue // its properties change in one action
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
