package certstore

import (
	"slices"
	"time"
)

// deletionDelete is the deletion policy that removes, as marks write it.
const deletionDelete = "Delete"

// planRemovals trims superseded versions beyond the history limit, oldest first, and with deletionPolicy Delete what this
// ObservedCertificate left in stores that it no longer names. One that another ObservedCertificate uses passes to that one,
// and one that something is still served with stays.
func planRemovals(desired Desired, observed Observed) []Action {
	wanted := desired.thumbprints()
	var superseded []Action
	add := func(ref Ref, entries []Entry) {
		for _, entry := range entries {
			heir, bound := observed.Claims.heir(ref, entry), observed.Bound[entry.Thumbprint]
			switch {
			case heir != nil:
				superseded = append(superseded, &Update{Ref: ref, Thumbprint: entry.Thumbprint, Change: Change{Mark: heir}})
			case len(bound) > 0:
				superseded = append(superseded, &Keep{Ref: ref, Thumbprint: entry.Thumbprint, Bound: bound})
			default:
				superseded = append(superseded, &Remove{
					Ref: ref, Thumbprint: entry.Thumbprint, UID: entry.Mark.UID, Successor: wanted[0], SuccessorRef: desired.Ref,
				})
			}
		}
	}
	for _, ref := range observed.refs() {
		own := observed.own(ref, desired.Mark)
		switch {
		case !ref.Same(desired.Ref) && desired.Mark.DeletionPolicy == deletionDelete:
			add(ref, append(own, observed.own(ref, desired.Mark.inRole(otherRole[desired.Mark.Role]))...))
		case ref.Same(desired.Ref) && desired.HistoryLimit != nil:
			own = slices.DeleteFunc(own, func(entry Entry) bool { return slices.Contains(wanted, entry.Thumbprint) })
			add(ref, beyond(own, int(*desired.HistoryLimit)))
		}
	}
	return superseded
}

// otherRole is the role that a certificate has in the other kind of store: a spec may move from MY to Root.
var otherRole = map[Role]Role{RoleLeaf: RoleTrusted, RoleTrusted: RoleLeaf}

func (m Mark) inRole(role Role) Mark {
	m.Role = role
	return m
}

// thumbprints returns the wanted certificates, the one that stands for all first.
func (d Desired) thumbprints() []string {
	thumbprints := []string{Thumbprint(d.Current())}
	if d.Mark.Role == RoleTrusted {
		for _, certificate := range d.Trusted[1:] {
			thumbprints = append(thumbprints, Thumbprint(certificate))
		}
	}
	return thumbprints
}

// beyond returns the certificates of all versions but the newest, oldest first. A version has several certificates in a
// store that holds trust.
func beyond(superseded []Entry, limit int) []Entry {
	newest := map[string]time.Time{} // by version
	for _, entry := range superseded {
		if entry.Certificate.NotBefore.After(newest[entry.Mark.Version]) {
			newest[entry.Mark.Version] = entry.Certificate.NotBefore
		}
	}
	versions := make([]string, 0, len(newest))
	for version := range newest {
		versions = append(versions, version)
	}
	slices.SortFunc(versions, func(a, b string) int { return newest[b].Compare(newest[a]) })
	kept := versions[:min(limit, len(versions))]
	trimmed := slices.DeleteFunc(superseded, func(entry Entry) bool { return slices.Contains(kept, entry.Mark.Version) })
	slices.SortFunc(trimmed, func(a, b Entry) int { return a.Certificate.NotBefore.Compare(b.Certificate.NotBefore) })
	return trimmed
}
