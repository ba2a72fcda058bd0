package arm

import (
	"regexp"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// callReference returns what is known of a resource: a vault's address, a secret's, and the outputs of a deployment of this
// template. All else is known to Azure alone.
func (s *scope) callReference(arguments []expression) *document.Node {
	id := s.evaluate(arguments[0])
	if isUnresolved(id) {
		return unresolved("what reference() returns is known to Azure alone")
	}
	known := unresolved("what reference() of %s returns is known to Azure alone", document.Shown(id.Text))
	if raw, at := s.find(id.Text); raw != nil {
		if strings.EqualFold(textOf(raw, "type"), deployments) {
			known.Members = at.outputs(raw)
			return known
		}
		named := at.tree(document.NewString(textOf(raw, "name"), 1))
		if !isUnresolved(named) {
			known.Members = ofResource(idOf(textOf(raw, "type"), named.Text))
		}
		return known
	}
	known.Members = ofResource(id.Text)
	return known
}

// callResourceInfo returns what the template itself says of a resource with a symbolic name.
func (s *scope) callResourceInfo(arguments []expression) *document.Node {
	symbol := s.evaluate(arguments[0])
	raw, at := s.find(symbol.Text)
	if isUnresolved(symbol) || raw == nil {
		return unresolved("what resourceInfo() of %s returns is not known", document.Shown(symbol.Text))
	}
	name, kind := at.tree(document.NewString(textOf(raw, "name"), 1)), textOf(raw, "type")
	id := name
	if !isUnresolved(name) {
		id = text(idOf(kind, name.Text))
	}
	return object([]document.Member{member("name", name), member("type", text(kind)), member("id", id)})
}

// idOf makes the end of a resource's id of its type and name, which may have several parts each.
func idOf(kind, name string) string {
	kinds, names := strings.Split(kind, "/"), strings.Split(name, "/")
	id := "/providers/" + kinds[0]
	for i, part := range kinds[1:] {
		if id += "/" + part; i < len(names) {
			id += "/" + names[i]
		}
	}
	return id
}

var (
	vaultID  = regexp.MustCompile(`(?i)/providers/Microsoft\.KeyVault/vaults/([0-9A-Za-z-]+)$`)
	secretID = regexp.MustCompile(`(?i)/providers/Microsoft\.KeyVault/vaults/([0-9A-Za-z-]+)/secrets/([0-9A-Za-z-]+)$`)
)

// ofResource returns the properties that follow from a resource's id.
func ofResource(id string) []document.Member {
	if parts := vaultID.FindStringSubmatch(id); parts != nil {
		return []document.Member{member("vaultUri", text("https://"+parts[1]+".vault.azure.net/"))}
	}
	if parts := secretID.FindStringSubmatch(id); parts != nil {
		return []document.Member{member("secretUri", text("https://"+parts[1]+".vault.azure.net/secrets/"+parts[2]))}
	}
	return nil
}

// outputs returns the outputs of a deployment.
func (s *scope) outputs(raw *document.Node) []document.Member {
	if s.world.active[raw] || !s.world.step() {
		return nil
	}
	s.world.active[raw] = true
	defer delete(s.world.active, raw)
	inner, _ := s.nested(raw)
	if inner == nil {
		return nil
	}
	var outputs []document.Member
	for _, m := range membersOf(inner.template, "outputs") {
		made := inner.tree(m.Node)
		if loops := m.Fold("copy").Node; loops != nil && loops.Kind == document.Map {
			made = object([]document.Member{member("value", inner.repeated(loops))})
		}
		outputs = append(outputs, member(m.Key, made))
	}
	return []document.Member{member("outputs", object(outputs))}
}
