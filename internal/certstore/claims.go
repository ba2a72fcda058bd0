package certstore

import "strings"

// Claims are the certificates that ObservedCertificates use, regardless of which one installed them, and those that they wait for.
type Claims struct {
	newOwners map[claim]Mark
	awaited   map[claim]bool
}

type claim struct {
	location Location
	store    string // in upper case
	what     string // a thumbprint, or a source
}

func claimOf(ref Ref, what string) claim { return claim{ref.Location, strings.ToUpper(ref.Name), what} }

// Add claims a certificate in a store. mark is the certificate's mark if the claiming ObservedCertificate becomes its owner.
func (c *Claims) Add(ref Ref, thumbprint string, mark Mark) {
	if c.newOwners == nil {
		c.newOwners = map[claim]Mark{}
	}
	c.newOwners[claimOf(ref, thumbprint)] = mark
}

// Await records that an ObservedCertificate needs the certificate of a source before it is known which one that is: it may be one
// that another ObservedCertificate left in the store.
func (c *Claims) Await(ref Ref, source string) {
	if c.awaited == nil {
		c.awaited = map[claim]bool{}
	}
	c.awaited[claimOf(ref, source)] = true
}

// newOwner returns the mark of a certificate's new owner, nil if no other ObservedCertificate claims it. The key options stay.
func (c *Claims) newOwner(ref Ref, entry Entry) *Mark {
	newOwner, claimed := c.newOwners[claimOf(ref, entry.Thumbprint)]
	if !claimed || newOwner.UID == entry.Mark.UID {
		return nil
	}
	newOwner.Role, newOwner.Exportable, newOwner.Provider = entry.Mark.Role, entry.Mark.Exportable, entry.Mark.Provider
	return &newOwner
}

// PlanOrphans handles certificates whose ObservedCertificate was deleted or no longer targets this node: with the deletion policy
// Delete in their mark they are removed, with Retain they stay. One that another ObservedCertificate uses passes to that one, and
// one that another may need stays until that is known. kept holds the UIDs of the ObservedCertificates that target this node.
// Certificates without a mark are not changed.
func PlanOrphans(observed Observed, kept map[string]bool, claims Claims) []Action {
	var actions []Action
	for _, ref := range observed.refs() {
		for _, entry := range observed.Entries[ref] {
			if entry.Mark == nil || entry.Mark.Role == RoleIntermediate || kept[entry.Mark.UID] {
				continue
			}
			newOwner := claims.newOwner(ref, entry)
			switch {
			case newOwner != nil:
				actions = append(actions, &Update{Ref: ref, Thumbprint: entry.Thumbprint, Change: Change{Mark: newOwner}})
			case claims.awaited[claimOf(ref, entry.Mark.Source)]:
			case entry.Mark.DeletionPolicy == deletionDelete:
				actions = append(actions, &Remove{Ref: ref, Thumbprint: entry.Thumbprint, UID: entry.Mark.UID})
			}
		}
	}
	return actions
}
