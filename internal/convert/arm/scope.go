package arm

import (
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// most is how many expressions and values are evaluated for one input. A template of 4 MB has some 100,000.
const most = 2_000_000

// world is what all scopes of an input share.
type world struct {
	left   int                         // of most
	linked func(name string) *Template // a file by its name, nil if it was not given; nil for none
	result *Result                     // what was found
	active map[*document.Node]bool     // deployments that are being expanded, against templates that link themselves
}

// step counts down and reports whether evaluation may go on.
func (w *world) step() bool {
	w.left--
	return w.left > 0
}

// scope is where an expression is evaluated: one deployment's template, with the loops and lambdas around the expression.
type scope struct {
	world      *world
	file       string
	template   *document.Node
	outer      *scope           // of the deployment around, if its names are used here
	parameters map[string]*lazy // in lower case
	variables  map[string]*lazy
	functions  map[string]*document.Node
	loops      []loop
	locals     map[string]*document.Node // of lambdas
	skipped    bool                      // what is around it is not deployed
	doubt      string                    // why it is not known whether it is
}

// loop is one turn of a copy loop. Its count may be unknown.
type loop struct {
	name     string
	index    *document.Node
	resource bool // the loop repeats a resource, and not a property or a value
}

// lazy is a value that is evaluated when it is used first.
type lazy struct {
	make func() *document.Node
	busy bool
	made *document.Node
}

func (l *lazy) value(name string) *document.Node {
	switch {
	case l.made != nil:
	case l.busy:
		return unresolved("%s is defined by itself", name)
	default:
		l.busy = true
		l.made = l.make()
		l.busy = false
	}
	return l.made
}

// Values are what parameters are given, by their names in lower case.
type Values map[string]*document.Node

func newScope(w *world, file string, template *document.Node, given Values) *scope {
	s := &scope{world: w, file: file, template: template, parameters: map[string]*lazy{}, variables: map[string]*lazy{}, functions: map[string]*document.Node{}}
	for _, declared := range membersOf(template, "parameters") {
		name := declared.Key
		s.parameters[strings.ToLower(name)] = &lazy{make: func() *document.Node { return s.parameter(name, declared.Node, given) }}
	}
	for _, declared := range membersOf(template, "variables") {
		if strings.EqualFold(declared.Key, "copy") && declared.Kind == document.List {
			s.loopVariables(declared.Items)
			continue
		}
		s.variables[strings.ToLower(declared.Key)] = &lazy{make: func() *document.Node { return s.tree(declared.Node) }}
	}
	if spaces := template.Fold("functions").Node; spaces != nil {
		for _, space := range spaces.Items {
			for _, declared := range membersOf(space, "members") {
				s.functions[strings.ToLower(textOf(space, "namespace")+"."+declared.Key)] = declared.Node
			}
		}
	}
	return s
}

// parameter returns a parameter's value, its default also if null is given. A secret one is not used, also if it is given.
func (s *scope) parameter(name string, declared *document.Node, given Values) *document.Node {
	if strings.HasPrefix(strings.ToLower(textOf(declared, "type")), "secure") {
		return unresolved("the parameter %s is a secret, which is not read", name)
	}
	if value := given[strings.ToLower(name)]; value != nil && value.Kind != document.Null {
		return value
	}
	if value := declared.Fold("defaultValue").Node; value != nil {
		return s.tree(value)
	}
	if nullable := declared.Fold("nullable").Node; nullable != nil && nullable.Text == "true" || given[strings.ToLower(name)] != nil {
		return null()
	}
	return unresolved("the parameter %s has no value; give the file of parameters too", name)
}

func (s *scope) loopVariables(loops []*document.Node) {
	for _, each := range loops {
		s.variables[strings.ToLower(textOf(each, "name"))] = &lazy{make: func() *document.Node { return s.repeated(each) }}
	}
}

// within returns a scope for one turn of a loop.
func (s *scope) within(turn loop) *scope {
	inner := *s
	inner.loops = append(append([]loop(nil), s.loops...), turn)
	return &inner
}

// with returns a scope for a lambda's body.
func (s *scope) with(name string, value *document.Node) *scope {
	inner := *s
	inner.locals = map[string]*document.Node{strings.ToLower(name): value}
	for other, of := range s.locals {
		if _, own := inner.locals[other]; !own {
			inner.locals[other] = of
		}
	}
	return &inner
}

func membersOf(n *document.Node, key string) []document.Member {
	found := n.Fold(key).Node
	if found == nil {
		return nil
	}
	return found.Members
}

func textOf(n *document.Node, key string) string {
	found := n.Fold(key).Node
	if found == nil || found.Kind != document.String {
		return ""
	}
	return found.Text
}
