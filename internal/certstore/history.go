package certstore

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// deletionDelete is the deletion policy Delete, as in marks.
const deletionDelete = "Delete"

// planRemovals removes superseded versions beyond the history limit, oldest first, and with deletionPolicy Delete the certificates
// of this ObservedCertificate in stores that its spec no longer names. One that another ObservedCertificate uses passes to that
// one, and one that is still bound stays.
func planRemovals(desired Desired, observed Observed) []Action {
	current := desired.thumbprints()
	var superseded []Action
	add := func(ref Ref, entries []Entry) {
		for _, entry := range entries {
			newOwner, bound := observed.Claims.newOwner(ref, entry), observed.Bound[entry.Thumbprint]
			switch {
			case newOwner != nil:
				superseded = append(superseded, &Update{Ref: ref, Thumbprint: entry.Thumbprint, Change: Change{Mark: newOwner}})
			case len(bound) > 0:
				superseded = append(superseded, &Keep{Ref: ref, Thumbprint: entry.Thumbprint, Bound: bound})
			default:
				superseded = append(superseded, &Remove{
					Ref: ref, Thumbprint: entry.Thumbprint, UID: entry.Mark.UID, Successor: current[0], SuccessorRef: desired.Ref,
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
			own = slices.DeleteFunc(own, func(entry Entry) bool { return slices.Contains(current, entry.Thumbprint) })
			add(ref, beyond(own, int(*desired.HistoryLimit)))
		}
	}
	return superseded
}

// otherRole is the role of a certificate in the other kind of store: a spec may change from MY to Root.
var otherRole = map[Role]Role{RoleLeaf: RoleTrusted, RoleTrusted: RoleLeaf}

func (m Mark) inRole(role Role) Mark {
	m.Role = role
	return m
}

// thumbprints returns the desired certificates, Current first.
func (d Desired) thumbprints() []string {
	thumbprints := []string{Thumbprint(d.Current())}
	if d.Mark.Role == RoleTrusted {
		for _, certificate := range d.Trusted[1:] {
			thumbprints = append(thumbprints, Thumbprint(certificate))
		}
	}
	return thumbprints
}

// beyond returns the certificates of all versions except the newest ones within the limit, oldest first. In a trust store a version
// may have several certificates.
func beyond(superseded []Entry, limit int) []Entry {
	newest := map[string]Entry{} // by version
	for _, entry := range superseded {
		if known, ok := newest[entry.Mark.Version]; !ok || CompareVersions(entry, known) > 0 {
			newest[entry.Mark.Version] = entry
		}
	}
	versions := slices.SortedFunc(maps.Keys(newest), func(a, b string) int {
		return cmp.Or(CompareVersions(newest[b], newest[a]), strings.Compare(a, b)) // for a stable choice
	})
	kept := versions[:min(limit, len(versions))]
	trimmed := slices.DeleteFunc(superseded, func(entry Entry) bool { return slices.Contains(kept, entry.Mark.Version) })
	slices.SortFunc(trimmed, CompareVersions)
	return trimmed
}
