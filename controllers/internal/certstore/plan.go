package certstore

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/vaultpane/vaultpane/controllers/internal/bundle"
)

// Desired is what one ObservedCertificate wants on this node, and what its vault holds.
type Desired struct {
	// Mark is what the leaf's mark should say; its version is that of the fetched secret.
	Mark Mark
	// Ref is the store that the spec names.
	Ref Ref
	// FriendlyName is what Windows tools should show for the leaf.
	FriendlyName string
	// HistoryLimit is how many superseded versions stay; nil keeps all.
	HistoryLimit *int32
	// Bundle is the fetched certificate, with its key.
	Bundle *bundle.Bundle
}

// Owner is an ObservedCertificate that exists, for deciding who a shared certificate belongs to.
type Owner struct {
	// Name is its name.
	Name string
	// Created is when it was made; the older of two wins.
	Created time.Time
}

// Observed is what the stores hold.
type Observed struct {
	// Entries are the certificates of every store that matters, by store.
	Entries map[Ref][]Entry
	// Owners are the ObservedCertificates that exist, by UID.
	Owners map[string]Owner
}

// Action is one step, each safe to repeat: an *Install, *Remark or *Remove.
type Action interface{ action() }

// Install puts a certificate into a store or replaces its key and mark.
type Install struct {
	Ref  Ref
	Item Item
}

// Remark replaces the mark of a certificate.
type Remark struct {
	Ref        Ref
	Thumbprint string
	Mark       Mark
}

// Remove removes a certificate and its key, when the successor is in place: readable, with its key, and valid.
type Remove struct {
	Ref        Ref
	Thumbprint string
	// Successor must be in SuccessorRef with its key and be valid at the time of the removal; empty for a removal that
	// was asked for without one (deletionPolicy Delete).
	Successor    string
	SuccessorRef Ref
}

func (*Install) action() {}
func (*Remark) action()  {}
func (*Remove) action()  {}

// Conflict says why the wanted certificate cannot be as its ObservedCertificate wants it. Nothing is changed then.
type Conflict struct {
	// Message says who holds the certificate, and what to do.
	Message string
}

// Error returns the message.
func (c *Conflict) Error() string { return c.Message }

// Plan returns the steps from what is there to what is wanted, in an order in which the store is never without a
// certificate that it had: intermediates, the leaf, and only then removals. Nothing without Vaultpane's mark is touched.
// It is a pure function; no step is needed when all is well. The error is a *Conflict.
func Plan(desired Desired, observed Observed, now time.Time) ([]Action, error) {
	leaf, err := planLeaf(desired, observed)
	if err != nil {
		return nil, err
	}
	actions := planIntermediates(desired, observed)
	actions = append(actions, leaf...)
	if validAt(desired.Bundle.Leaf, now) {
		actions = append(actions, planRemovals(desired, observed)...)
	}
	return actions, nil
}

// planLeaf decides about the wanted certificate itself.
func planLeaf(desired Desired, observed Observed) ([]Action, error) {
	thumbprint := Thumbprint(desired.Bundle.Leaf)
	install := &Install{Ref: desired.Ref, Item: Item{
		Certificate: desired.Bundle.Leaf, Key: desired.Bundle.Key, Mark: desired.Mark, FriendlyName: desired.FriendlyName,
	}}
	entry := observed.find(desired.Ref, thumbprint)
	switch {
	case entry == nil:
		return []Action{install}, nil
	case entry.UnknownMark:
		return nil, &Conflict{fmt.Sprintf("certificate %s in %s carries a mark of another version of Vaultpane and is left alone; upgrade this agent, or remove the certificate by hand", thumbprint, desired.Ref)}
	case entry.Mark == nil && entry.Key == KeyPresent:
		return nil, nil // someone else's: used as it is
	case entry.Mark == nil:
		return nil, &Conflict{fmt.Sprintf("certificate %s in %s was installed by someone else without its private key, and is left alone; remove it there, and Vaultpane installs it with its key", thumbprint, desired.Ref)}
	case entry.Mark.UID != desired.Mark.UID && observed.alive(entry.Mark.UID):
		return planShared(desired, observed, entry, install)
	case entry.Key != KeyPresent || !sameKeyOptions(*entry.Mark, desired.Mark):
		return []Action{install}, nil
	case *entry.Mark != desired.Mark:
		return []Action{&Remark{Ref: desired.Ref, Thumbprint: thumbprint, Mark: desired.Mark}}, nil
	}
	return nil, nil
}

// planShared decides about a certificate that another ObservedCertificate, which exists, has installed: both use it, and
// where they ask for different keys the older one has its way.
func planShared(desired Desired, observed Observed, entry *Entry, install *Install) ([]Action, error) {
	holder := *entry.Mark
	switch {
	case sameKeyOptions(holder, desired.Mark) && entry.Key == KeyPresent:
		return nil, nil
	case sameKeyOptions(holder, desired.Mark):
		install.Item.Mark = holder // repaired, and still the other's
		return []Action{install}, nil
	case observed.olderOf(desired.Mark.UID, holder.UID) == desired.Mark.UID:
		return []Action{install}, nil
	}
	return nil, &Conflict{fmt.Sprintf("the older ObservedCertificate %q has installed the same certificate in %s with other key options (keyExportable, keyStorageProvider); give both the same, or remove one", holder.Name, desired.Ref)}
}

// planIntermediates installs the chain's certificates that are not there yet into CA of the same location. Self-signed
// roots go nowhere: whom the machine trusts is not for a certificate to decide.
func planIntermediates(desired Desired, observed Observed) []Action {
	ca := Ref{Location: desired.Ref.Location, Name: StoreCA}
	mark := desired.Mark
	mark.Intermediate, mark.Exportable, mark.Provider = true, false, ""
	var actions []Action
	for _, certificate := range desired.Bundle.Chain {
		if selfSigned(certificate) || !certificate.IsCA || observed.find(ca, Thumbprint(certificate)) != nil {
			continue
		}
		actions = append(actions, &Install{Ref: ca, Item: Item{Certificate: certificate, Mark: mark}})
	}
	return actions
}

// planRemovals trims superseded versions beyond the history limit, oldest first, and with deletionPolicy Delete what this
// ObservedCertificate left in stores that it no longer names.
func planRemovals(desired Desired, observed Observed) []Action {
	current := Thumbprint(desired.Bundle.Leaf)
	var actions []Action
	remove := func(ref Ref, entry Entry) {
		actions = append(actions, &Remove{Ref: ref, Thumbprint: entry.Thumbprint, Successor: current, SuccessorRef: desired.Ref})
	}
	for _, ref := range observed.refs() {
		own := ownLeaves(observed.Entries[ref], desired.Mark.UID)
		switch {
		case !ref.Same(desired.Ref) && desired.Mark.DeletionPolicy == deletionDelete:
			for _, entry := range own {
				remove(ref, entry)
			}
		case ref.Same(desired.Ref) && desired.HistoryLimit != nil:
			for _, entry := range beyond(own, current, int(*desired.HistoryLimit)) {
				remove(ref, entry)
			}
		}
	}
	return actions
}

// deletionDelete is the deletion policy that removes, as marks write it.
const deletionDelete = "Delete"

// beyond returns the superseded certificates after the limit newest ones, oldest first.
func beyond(entries []Entry, current string, limit int) []Entry {
	superseded := slices.DeleteFunc(entries, func(entry Entry) bool { return entry.Thumbprint == current })
	slices.SortFunc(superseded, func(a, b Entry) int { return a.Certificate.NotBefore.Compare(b.Certificate.NotBefore) })
	return superseded[:max(0, len(superseded)-limit)]
}

// ownLeaves returns the leaf certificates that the ObservedCertificate with this UID has installed.
func ownLeaves(entries []Entry, uid string) []Entry {
	var own []Entry
	for _, entry := range entries {
		if entry.Mark != nil && entry.Mark.UID == uid && !entry.Mark.Intermediate {
			own = append(own, entry)
		}
	}
	return own
}

func sameKeyOptions(a, b Mark) bool { return a.Exportable == b.Exportable && a.Provider == b.Provider }

func selfSigned(certificate *x509.Certificate) bool {
	return bytes.Equal(certificate.RawSubject, certificate.RawIssuer)
}

func validAt(certificate *x509.Certificate, now time.Time) bool {
	return !now.Before(certificate.NotBefore) && !now.After(certificate.NotAfter)
}

func (o Observed) find(ref Ref, thumbprint string) *Entry {
	for other, entries := range o.Entries {
		if !other.Same(ref) {
			continue
		}
		for i := range entries {
			if entries[i].Thumbprint == thumbprint {
				return &entries[i]
			}
		}
	}
	return nil
}

func (o Observed) alive(uid string) bool {
	_, ok := o.Owners[uid]
	return ok
}

// olderOf returns the UID of the older of two ObservedCertificates; of two made in the same second, the one whose name
// comes first.
func (o Observed) olderOf(a, b string) string {
	first, second := o.Owners[a], o.Owners[b]
	if order := first.Created.Compare(second.Created); order < 0 || (order == 0 && first.Name < second.Name) {
		return a
	}
	return b
}

// refs returns the stores in a fixed order, so that the plan is the same each time.
func (o Observed) refs() []Ref {
	refs := make([]Ref, 0, len(o.Entries))
	for ref := range o.Entries {
		refs = append(refs, ref)
	}
	slices.SortFunc(refs, func(a, b Ref) int { return bytes.Compare([]byte(a.String()), []byte(b.String())) })
	return refs
}
