package arm

import (
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// Template is a template with its file.
type Template struct {
	File string
	Root *document.Node
}

// Part is a resource of a template, evaluated.
type Part struct {
	// File is the file that has it.
	File string
	// Resource is the resource with its children, or a parent with one of them.
	Resource *document.Node
	// Skipped reports that its condition is false: it is not deployed.
	Skipped bool
	// Doubt says why it is not known whether it is deployed, empty if it is.
	Doubt string
}

// Result is what a template deploys.
type Result struct {
	Parts []Part
	// Missing are the names of linked templates that were not given.
	Missing []string
	// Used are the files of linked templates.
	Used []string
	// Incomplete reports that the template needs more steps than are evaluated, so that parts are missing.
	Incomplete bool
}

// IsTemplate reports whether a document is a template: it says so in $schema, or has resources and a contentVersion.
func IsTemplate(n *document.Node) bool {
	if n == nil || n.Kind != document.Map || n.Fold("resources").Node == nil {
		return false
	}
	schema := strings.ToLower(textOf(n, "$schema"))
	return strings.Contains(schema, "deploymenttemplate.json") || n.Fold("contentVersion").Node != nil && n.Fold("outputs").Node == nil || n.Fold("contentVersion").Node != nil && n.Fold("parameters").Node != nil
}

// IsParameters reports whether a document has the values of parameters.
func IsParameters(n *document.Node) bool {
	if n == nil || n.Kind != document.Map || n.Fold("resources").Node != nil {
		return false
	}
	if strings.Contains(strings.ToLower(textOf(n, "$schema")), "deploymentparameters.json") {
		return true
	}
	members := membersOf(n, "parameters")
	for _, m := range members {
		if m.Fold("value").Node == nil && m.Fold("reference").Node == nil {
			return false
		}
	}
	return len(members) > 0 && n.Fold("contentVersion").Node != nil
}

// Given returns the values of a file of parameters. A reference to a secret is no value.
func Given(parameters *document.Node) Values {
	values := Values{}
	for _, m := range membersOf(parameters, "parameters") {
		switch {
		case m.Fold("value").Node != nil:
			values[strings.ToLower(m.Key)] = m.Fold("value").Node
		case m.Fold("reference").Node != nil:
			values[strings.ToLower(m.Key)] = unresolved("the parameter %s is a secret in Key Vault, which is not read", m.Key)
		}
	}
	return values
}

// Declared returns the names of a template's parameters, in lower case.
func Declared(template *document.Node) []string {
	var names []string
	for _, m := range membersOf(template, "parameters") {
		names = append(names, strings.ToLower(m.Key))
	}
	return names
}

// Expand evaluates a template with values for its parameters. linked returns a linked template by the name of its file, nil if
// it was not given; a nil function has none.
func Expand(template Template, given Values, linked func(name string) *Template) Result {
	result := &Result{}
	w := &world{left: most, linked: linked, result: result, active: map[*document.Node]bool{}}
	s := newScope(w, template.File, template.Root, given)
	s.resources(template.Root.Fold("resources").Node, plainParent)
	result.Incomplete = w.left <= 0
	return *result
}

// Evaluate evaluates a value outside of a template: what needs one is Unresolved.
func Evaluate(n *document.Node) *document.Node {
	w := &world{left: most, result: &Result{}, active: map[*document.Node]bool{}}
	return newScope(w, "", &document.Node{Kind: document.Map}, nil).tree(n)
}

// parent puts the resources around a child, so that the child is understood without its siblings.
type parent func(child *document.Node) *document.Node

func plainParent(child *document.Node) *document.Node { return child }

// resources evaluates a list of resources, or a map of symbolic names.
func (s *scope) resources(all *document.Node, around parent) {
	if all == nil {
		return
	}
	for _, item := range all.Items {
		s.resource(item, around)
	}
	for _, m := range all.Members {
		if existing := m.Fold("existing").Node; existing == nil || !isTrue(existing) {
			s.resource(m.Node, around)
		}
	}
}

// resource evaluates a resource for each turn of its loop.
func (s *scope) resource(raw *document.Node, around parent) {
	loops := raw.Fold("copy").Node
	if loops == nil || loops.Kind != document.Map {
		s.one(raw, around)
		return
	}
	name := textOf(loops, "name")
	count, unknown := s.count(loops)
	if unknown != nil {
		s.within(loop{name, unknown, true}).one(raw, around)
		return
	}
	for i := range count {
		if !s.world.step() {
			return
		}
		s.within(loop{name, integer(i), true}).one(raw, around)
	}
}

// one evaluates a resource, and its children as parts of their own.
func (s *scope) one(raw *document.Node, around parent) {
	inner := *s
	inner.condition(raw)
	s = &inner
	kind := s.tree(document.NewString(textOf(raw, "type"), raw.Line))
	if strings.EqualFold(kind.Text, deployments) {
		s.deployment(raw)
		return
	}
	own := &document.Node{Kind: document.Map, Line: raw.Line}
	for _, m := range raw.Members {
		switch strings.ToLower(m.Key) {
		case "condition", "copy", "resources", "dependson":
		default:
			own.Members = append(own.Members, m)
		}
	}
	made := s.tree(own)
	made.Repeated = raw.Repeated
	s.add(Part{File: s.file, Resource: around(made), Skipped: s.skipped, Doubt: s.doubt})
	if children := raw.Fold("resources").Node; children != nil {
		s.resources(children, func(child *document.Node) *document.Node {
			with := *made
			with.Members = nil
			for _, m := range made.Members {
				if !strings.EqualFold(m.Key, "properties") {
					with.Members = append(with.Members, m)
				}
			}
			with.Members = append(with.Members, member("resources", &document.Node{Kind: document.List, Line: child.Line, Items: []*document.Node{child}}))
			return around(&with)
		})
	}
}

func (s *scope) add(part Part) {
	if s.world.step() {
		s.world.result.Parts = append(s.world.result.Parts, part)
	}
}

// condition notes that a resource is not deployed, or why that is not known.
func (s *scope) condition(raw *document.Node) {
	declared := raw.Fold("condition").Node
	if declared == nil {
		return
	}
	switch value := s.tree(declared); {
	case isUnresolved(value):
		s.doubt = value.Text
	case !isTrue(value):
		s.skipped = true
	}
}
