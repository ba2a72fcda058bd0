package certstore

import (
	"cmp"
	"maps"
	"slices"
	"strings"
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
	newest := map[string]Entry{} // by version
	for _, entry := range superseded {
		if known, ok := newest[entry.Mark.Version]; !ok || CompareVersions(entry, known) > 0 {
			newest[entry.Mark.Version] = entry
		}
	}
	versions := slices.SortedFunc(maps.Keys(newest), func(a, b string) int {
		return cmp.Or(CompareVersions(newest[b], newest[a]), strings.Compare(a, b)) // the same choice each time
	})
	kept := versions[:min(limit, len(versions))]
	trimmed := slices.DeleteFunc(superseded, func(entry Entry) bool { return slices.Contains(kept, entry.Mark.Version) })
	slices.SortFunc(trimmed, CompareVersions)
	return trimmed
}
