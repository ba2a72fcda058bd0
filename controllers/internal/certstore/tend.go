package certstore

import "time"

// Tend returns the steps that bring what an ObservedCertificate has in the stores back to what is wanted of it, as far as
// that takes nothing from the vault: marks, who may use the key, and, while it is valid, the links to the current
// certificate, which is nil where none is in place. The bundle of desired is not needed. Nothing is done to a certificate that is not Vaultpane's, or
// not this ObservedCertificate's.
func Tend(desired Desired, current *Entry, observed Observed, now time.Time) []Action {
	actions := planPolicies(desired, current, observed)
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
	actions = append(actions, planProperties(desired, current)...)
	if !validAt(current.Certificate, now) {
		return actions // nobody is to be sent to it
	}
	return append(actions, linksTo(desired, current.Certificate, current, observed)...)
}

// planPolicies writes the deletion policy into the marks of everything that this ObservedCertificate has, superseded
// versions and intermediates too: marks are what is followed when it is gone.
func planPolicies(desired Desired, current *Entry, observed Observed) []Action {
	var actions []Action
	for _, ref := range observed.refs() {
		for _, entry := range observed.Entries[ref] {
			mark := entry.Mark
			if mark == nil || mark.UID != desired.Mark.UID || mark.DeletionPolicy == desired.Mark.DeletionPolicy {
				continue
			}
			if current != nil && ref.Same(desired.Ref) && entry.Thumbprint == current.Thumbprint && mark.Role == RoleLeaf {
				continue // in one step with its other properties
			}
			changed := *mark
			changed.DeletionPolicy = desired.Mark.DeletionPolicy
			actions = append(actions, &Update{Ref: ref, Thumbprint: entry.Thumbprint, Change: Change{Mark: &changed}})
		}
	}
	return actions
}
