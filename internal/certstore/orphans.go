package certstore

import "strings"

// Claims are the certificates that ObservedCertificates use, whoever installed them, and those that they wait for.
type Claims struct {
	heirs   map[claim]Mark
	awaited map[claim]bool
}

type claim struct {
	location Location
	store    string // in upper case
	what     string // a thumbprint, or a source
}

func claimOf(ref Ref, what string) claim { return claim{ref.Location, strings.ToUpper(ref.Name), what} }

// Add claims a certificate in a store. mark is what the certificate should carry if it passes to the one who claims it.
func (c *Claims) Add(ref Ref, thumbprint string, mark Mark) {
	if c.heirs == nil {
		c.heirs = map[claim]Mark{}
	}
	c.heirs[claimOf(ref, thumbprint)] = mark
}

// Await says that an ObservedCertificate wants what a source has, and does not know yet which certificate that is: it may be
// one that another has left.
func (c *Claims) Await(ref Ref, source string) {
	if c.awaited == nil {
		c.awaited = map[claim]bool{}
	}
	c.awaited[claimOf(ref, source)] = true
}

// heir returns the mark with which a certificate passes on, nil if nobody else claims it. How its key is kept stays as it is.
func (c *Claims) heir(ref Ref, entry Entry) *Mark {
	heir, claimed := c.heirs[claimOf(ref, entry.Thumbprint)]
	if !claimed || heir.UID == entry.Mark.UID {
		return nil
	}
	heir.Role, heir.Exportable, heir.Provider = entry.Mark.Role, entry.Mark.Exportable, entry.Mark.Provider
	return &heir
}

// PlanOrphans decides about certificates whose ObservedCertificate is gone or no longer selects this node: with the
// deletion policy Delete in their mark they are removed, with Retain they stay. One that another ObservedCertificate uses
// passes to that one, and one that another may turn out to want stays until that is known. kept holds the UIDs of the
// ObservedCertificates that want this node. Nothing without a mark is touched.
func PlanOrphans(observed Observed, kept map[string]bool, claims Claims) []Action {
	var actions []Action
	for _, ref := range observed.refs() {
		for _, entry := range observed.Entries[ref] {
			if entry.Mark == nil || entry.Mark.Role == RoleIntermediate || kept[entry.Mark.UID] {
				continue
			}
			heir := claims.heir(ref, entry)
			switch {
			case heir != nil:
				actions = append(actions, &Update{Ref: ref, Thumbprint: entry.Thumbprint, Change: Change{Mark: heir}})
			case claims.awaited[claimOf(ref, entry.Mark.Source)]:
			case entry.Mark.DeletionPolicy == deletionDelete:
				actions = append(actions, &Remove{Ref: ref, Thumbprint: entry.Thumbprint, UID: entry.Mark.UID})
			}
		}
	}
	return actions
}
