package certstore

import "fmt"

// planLeaf plans the desired leaf, which has a key.
func planLeaf(desired Desired, observed Observed) ([]Action, error) {
	thumbprint := Thumbprint(desired.Bundle.Leaf)
	install := &Install{Ref: desired.Ref, Item: Item{
		Certificate: desired.Bundle.Leaf, Key: desired.Bundle.Key, Mark: desired.Mark,
		FriendlyName: desired.FriendlyName, Access: desired.AccessTo(thumbprint),
	}}
	entry := observed.find(desired.Ref, thumbprint)
	switch {
	case entry == nil:
		return []Action{install}, nil
	case entry.UnknownMark:
		return nil, unknownMark(desired.Ref, thumbprint)
	case entry.Mark == nil && entry.OwnKey:
		return []Action{install}, nil // Vaultpane's, with its mark lost
	case entry.Mark == nil && entry.Key == KeyPresent:
		return nil, nil // another tool's: used without changes
	case entry.Mark == nil:
		return nil, &Conflict{fmt.Sprintf("certificate %s in %s was installed by another tool without its private key, and Vaultpane does not change it: remove it, so that Vaultpane installs it with its key", thumbprint, desired.Ref)}
	case entry.Mark.UID != desired.Mark.UID && observed.alive(entry.Mark.UID):
		return planShared(desired, observed, entry, install)
	case entry.Key != KeyPresent || !sameKeyOptions(*entry.Mark, desired.Mark):
		return []Action{install}, nil
	}
	return planProperties(desired, entry), nil
}

func unknownMark(ref Ref, thumbprint string) *Conflict {
	return &Conflict{fmt.Sprintf("certificate %s in %s has a mark of another version of Vaultpane, and this agent does not change it: upgrade the agent, or remove the certificate", thumbprint, ref)}
}

// planShared plans a certificate that another existing ObservedCertificate installed. Both use it, the key's access list is the
// union of both, and if they ask for different key options, the older one wins.
func planShared(desired Desired, observed Observed, entry *Entry, install *Install) ([]Action, error) {
	holder := *entry.Mark
	alike := sameKeyOptions(holder, desired.Mark)
	switch {
	case alike && entry.Key == KeyPresent:
		desired.Mark = holder
		return planProperties(desired, entry), nil
	case alike:
		install.Item.Mark = holder // repaired, and the owner stays
		return []Action{install}, nil
	case observed.olderOf(desired.Mark.UID, holder.UID) == desired.Mark.UID:
		return []Action{install}, nil
	}
	return nil, &Conflict{fmt.Sprintf("the older ObservedCertificate %q has installed the same certificate in %s with other key options (keyExportable, keyStorageProvider): set the same options in both, or delete one of them", holder.Name, desired.Ref)}
}

// planProperties updates the mark of an installed certificate and the access list of its key.
func planProperties(desired Desired, entry *Entry) []Action {
	var change Change
	if entry.Mark == nil || *entry.Mark != desired.Mark {
		change.Mark = &desired.Mark
	}
	if !desired.grants(*entry) {
		access := desired.AccessTo(entry.Thumbprint)
		change.Access = &access
	}
	if change == (Change{}) {
		return nil
	}
	return []Action{&Update{Ref: desired.Ref, Thumbprint: entry.Thumbprint, Change: change}}
}

// AccessTo returns the desired access list of a certificate's key, as KeyAccess writes it; empty where the store decides.
func (d Desired) AccessTo(thumbprint string) string {
	if shared, ok := d.SharedAccess[thumbprint]; ok {
		return shared
	}
	return d.Access
}

// grants reports whether the access list of a key is as desired, or is not to be changed.
func (d Desired) grants(entry Entry) bool {
	access := d.AccessTo(entry.Thumbprint)
	return access == "" || d.AccessIncomplete || entry.Access == access
}

func sameKeyOptions(a, b Mark) bool { return a.Exportable == b.Exportable && a.Provider == b.Provider }
