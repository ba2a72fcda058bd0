package certstore

import "fmt"

// planLeaf decides about the wanted certificate itself, which has a key.
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
		return []Action{install}, nil // ours, and the mark is lost
	case entry.Mark == nil && entry.Key == KeyPresent:
		return nil, nil // someone else's: used as it is
	case entry.Mark == nil:
		return nil, &Conflict{fmt.Sprintf("certificate %s in %s was installed by someone else without its private key, and is left alone; remove it there, and Vaultpane installs it with its key", thumbprint, desired.Ref)}
	case entry.Mark.UID != desired.Mark.UID && observed.alive(entry.Mark.UID):
		return planShared(desired, observed, entry, install)
	case entry.Key != KeyPresent || !sameKeyOptions(*entry.Mark, desired.Mark):
		return []Action{install}, nil
	}
	return planProperties(desired, entry), nil
}

func unknownMark(ref Ref, thumbprint string) *Conflict {
	return &Conflict{fmt.Sprintf("certificate %s in %s carries a mark of another version of Vaultpane and is left alone; upgrade this agent, or remove the certificate by hand", thumbprint, ref)}
}

// planShared decides about a certificate that another ObservedCertificate, which exists, has installed: both use it, the key's
// rights are those of both together, and where they ask for different keys the older one has its way.
func planShared(desired Desired, observed Observed, entry *Entry, install *Install) ([]Action, error) {
	holder := *entry.Mark
	alike := sameKeyOptions(holder, desired.Mark)
	switch {
	case alike && entry.Key == KeyPresent:
		desired.Mark = holder
		return planProperties(desired, entry), nil
	case alike:
		install.Item.Mark = holder // repaired, and still the other's
		return []Action{install}, nil
	case observed.olderOf(desired.Mark.UID, holder.UID) == desired.Mark.UID:
		return []Action{install}, nil
	}
	return nil, &Conflict{fmt.Sprintf("the older ObservedCertificate %q has installed the same certificate in %s with other key options (keyExportable, keyStorageProvider); give both the same, or remove one", holder.Name, desired.Ref)}
}

// planProperties brings the mark of a certificate that is there, and who may use its key, to what is wanted.
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

// AccessTo returns who may use the key of a certificate, as KeyAccess writes it; empty where that is left to the store.
func (d Desired) AccessTo(thumbprint string) string {
	if shared, ok := d.SharedAccess[thumbprint]; ok {
		return shared
	}
	return d.Access
}

// grants reports whether who may use a key is as desired, or left as it is.
func (d Desired) grants(entry Entry) bool {
	access := d.AccessTo(entry.Thumbprint)
	return access == "" || d.AccessUnsettled || entry.Access == access
}

func sameKeyOptions(a, b Mark) bool { return a.Exportable == b.Exportable && a.Provider == b.Provider }
