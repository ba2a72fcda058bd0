package arm

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// deployment evaluates the resources of a nested or linked template.
func (s *scope) deployment(raw *document.Node) {
	if s.world.active[raw] {
		return // it deploys itself
	}
	inner, missing := s.nested(raw)
	if missing != "" && !s.skipped {
		s.world.result.Missing = append(s.world.result.Missing, missing)
	}
	if inner == nil {
		return
	}
	inner.skipped, inner.doubt = s.skipped, s.doubt
	s.world.active[raw] = true
	defer delete(s.world.active, raw)
	inner.resources(inner.template.Fold("resources").Node, plainParent)
}

// nested returns the scope of a deployment: of its own template with its own parameters; or with the names of this scope, as Azure
// evaluates a template within another unless expressionEvaluationOptions says inner. missing is the name of a linked template that
// was not given.
func (s *scope) nested(raw *document.Node) (inner *scope, missing string) {
	properties := raw.Fold("properties").Node
	if properties == nil {
		return nil, ""
	}
	given := s.values(properties.Fold("parameters").Node)
	template := properties.Fold("template").Node
	switch {
	case template != nil && template.Kind == document.Map:
		if options := properties.Fold("expressionEvaluationOptions").Node; options != nil && strings.EqualFold(textOf(options, "scope"), "inner") {
			return newScope(s.world, s.file, template, given), ""
		}
		outer := *s
		outer.template = template
		return &outer, ""
	case properties.Fold("templateLink").Node != nil:
		return s.link(properties, given)
	}
	return nil, ""
}

// link finds a linked template, and its file of parameters, among the given files.
func (s *scope) link(properties *document.Node, given Values) (inner *scope, missing string) {
	name := s.fileName(properties.Fold("templateLink").Node)
	linked := s.world.linked(name)
	if linked == nil {
		return nil, name
	}
	if !slices.Contains(s.world.result.Used, linked.File) {
		s.world.result.Used = append(s.world.result.Used, linked.File)
	}
	return newScope(s.world, linked.File, linked.Root, given), ""
}

var quotedFile = regexp.MustCompile(`'([^']*\.json)'`)

// fileName returns the name of a linked file: the last part of its URL, or of the last string of an expression that is not known.
func (s *scope) fileName(link *document.Node) string {
	for _, key := range []string{"relativePath", "uri"} {
		raw := link.Fold(key).Node
		if raw == nil {
			continue
		}
		at := s.tree(raw)
		if isUnresolved(at) {
			found := quotedFile.FindAllStringSubmatch(raw.Text, -1)
			if len(found) == 0 {
				continue
			}
			at = text(found[len(found)-1][1])
		}
		without, _, _ := strings.Cut(at.Text, "?")
		return path.Base(without)
	}
	if id := textOf(link, "id"); id != "" {
		return path.Base(id)
	}
	return "(its name is not known)"
}

// values evaluates the parameters that a deployment is given, in the scope around it.
func (s *scope) values(parameters *document.Node) Values {
	given := Values{}
	if parameters == nil {
		return given
	}
	for _, m := range parameters.Members {
		evaluated := s.tree(m.Node)
		switch {
		case isUnresolved(evaluated):
			given[strings.ToLower(m.Key)] = evaluated
		case evaluated.Fold("value").Node != nil:
			given[strings.ToLower(m.Key)] = evaluated.Fold("value").Node
		case evaluated.Fold("reference").Node != nil:
			given[strings.ToLower(m.Key)] = unresolved("the parameter %s is a secret in Key Vault, which is not read", m.Key)
		}
	}
	return given
}

// callReference returns what is known of a resource: a vault's address, a secret's, and the outputs of a deployment of this
// template. All else is known to Azure alone.
func (s *scope) callReference(arguments []expression) *document.Node {
	id := s.evaluate(arguments[0])
	if isUnresolved(id) {
		return unresolved("what reference() returns is known to Azure alone")
	}
	known := unresolved("what reference() of %s returns is known to Azure alone", document.Shown(id.Text))
	name := id.Text
	if at := strings.LastIndex(name, "/"); at >= 0 {
		name = name[at+1:]
	}
	if raw := s.find(id.Text, name); raw != nil {
		if strings.EqualFold(textOf(raw, "type"), "Microsoft.Resources/deployments") {
			known.Members = s.outputs(raw)
			return known
		}
		named := s.tree(document.NewString(textOf(raw, "name"), 1))
		if !isUnresolved(named) {
			known.Members = ofResource(idOf(textOf(raw, "type"), named.Text))
		}
		return known
	}
	known.Members = ofResource(id.Text)
	return known
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

// find returns a resource of this template by its symbolic name, or a deployment by its name or id.
func (s *scope) find(id, name string) *document.Node {
	all := s.template.Fold("resources").Node
	if all == nil {
		return nil
	}
	if found := all.Fold(id).Node; found != nil {
		return found
	}
	if strings.Contains(id, "/") && !strings.Contains(strings.ToLower(id), "/microsoft.resources/deployments/") {
		return nil
	}
	for _, item := range all.Items {
		if !strings.EqualFold(textOf(item, "type"), "Microsoft.Resources/deployments") {
			continue
		}
		if named := s.tree(document.NewString(textOf(item, "name"), 1)); strings.EqualFold(named.Text, name) {
			return item
		}
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
		outputs = append(outputs, member(m.Key, inner.tree(m.Node)))
	}
	return []document.Member{member("outputs", object(outputs))}
}
