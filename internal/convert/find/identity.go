package find

import (
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// identities remembers the client ids of user-assigned identities: those of a machine, {id: {clientId, principalId}}, or one with
// its id.
func (f *Finder) identities(n *document.Node) {
	if n == nil {
		return
	}
	for _, m := range members(lookup(n, "userAssignedIdentities").Node) {
		f.client(m.Key, m.Node)
	}
	if id := textOf(n, "id"); strings.Contains(strings.ToLower(id), "/userassignedidentities/") {
		f.client(id, n)
		f.client(id, present(n, "properties").Node)
	}
}

// client remembers the client id of an identity by its resource id, and by its object id, which people take for it.
func (f *Finder) client(id string, identity *document.Node) {
	client := textOf(identity, "clientId")
	if client == "" {
		return
	}
	f.Clients[strings.ToLower(id)] = client
	if principal := textOf(identity, "principalId"); principal != "" {
		f.Clients[strings.ToLower(principal)] = client
	}
}
