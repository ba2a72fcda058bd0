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

// nested returns the scope of a deployment: of its own template with its own parameters; or with the names of this scope. missing is the name of a linked template that
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
		if s.isInner(properties) {
			return newScope(s.world, s.file, template, given), ""
		}
		shared := *s
		shared.template, shared.outer = template, s
		return &shared, ""
	case properties.Fold("templateLink").Node != nil:
		return s.link(properties, given)
	}
	return nil, ""
}

// isInner reports whether Azure evaluates a template within another by its own names. It does not unless
// expressionEvaluationOptions says so, or the template around is of languageVersion 2.0, as those with symbolic names are.
// Source: Microsoft's page "Use symbolic names", languageVersion 2.0.
func (s *scope) isInner(properties *document.Node) bool {
	if scope := textOf(properties.Fold("expressionEvaluationOptions").Node, "scope"); scope != "" && !strings.EqualFold(scope, "notSpecified") {
		return strings.EqualFold(scope, "inner")
	}
	resources := s.template.Fold("resources").Node
	return strings.HasPrefix(textOf(s.template, "languageVersion"), "2.") || resources != nil && resources.Kind == document.Map
}

// link finds a linked template, and its file of parameters, among the given files.
func (s *scope) link(properties *document.Node, given Values) (inner *scope, missing string) {
	name := s.fileName(properties.Fold("templateLink").Node)
	var linked *Template
	if s.world.linked != nil {
		linked = s.world.linked(name)
	}
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
