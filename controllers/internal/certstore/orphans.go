package certstore

import "strings"

// Claims are the certificates that ObservedCertificates use, whoever installed them.
type Claims map[claim]Mark

type claim struct {
	location   Location
	store      string // in upper case
	thumbprint string
}

func claimOf(ref Ref, thumbprint string) claim {
	return claim{ref.Location, strings.ToUpper(ref.Name), thumbprint}
}

// Add claims a certificate in a store. mark is what the certificate should carry if it passes to the one who claims it.
func (c Claims) Add(ref Ref, thumbprint string, mark Mark) { c[claimOf(ref, thumbprint)] = mark }

// PlanOrphans decides about certificates whose ObservedCertificate is gone or no longer selects this node: with the
// deletion policy Delete in their mark they are removed, with Retain they stay. One that another ObservedCertificate uses
// passes to that one: claims says which. kept holds the UIDs of the ObservedCertificates that want
// this node. Nothing without a mark is touched.
func PlanOrphans(observed Observed, kept map[string]bool, claims Claims) []Action {
	var actions []Action
	for _, ref := range observed.refs() {
		for _, entry := range observed.Entries[ref] {
			if entry.Mark == nil || entry.Mark.Intermediate || kept[entry.Mark.UID] {
				continue
			}
			heir, claimed := claims[claimOf(ref, entry.Thumbprint)]
			switch {
			case claimed:
				heir.Exportable, heir.Provider = entry.Mark.Exportable, entry.Mark.Provider // how the key really is
				actions = append(actions, &Remark{Ref: ref, Thumbprint: entry.Thumbprint, Mark: heir})
			case entry.Mark.DeletionPolicy == deletionDelete:
				actions = append(actions, &Remove{Ref: ref, Thumbprint: entry.Thumbprint})
			}
		}
	}
	return actions
}
