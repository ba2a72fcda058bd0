package arm

import (
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// form is a function that evaluates its arguments itself.
type form struct {
	arity
	make func(*scope, []expression) *document.Node
}

// forms are the functions that need a scope, or not all of their arguments.
var forms map[string]form

func init() { // they evaluate expressions, which call them
	forms = map[string]form{
		"parameters":      {arity{1, 1}, (*scope).callParameters},
		"variables":       {arity{1, 1}, (*scope).callVariables},
		"copyindex":       {arity{0, 2}, (*scope).callCopyIndex},
		"if":              {arity{3, 3}, (*scope).callIf},
		"and":             {arity{1, 0}, (*scope).callAnd},
		"or":              {arity{1, 0}, (*scope).callOr},
		"coalesce":        {arity{1, 0}, (*scope).callCoalesce},
		"lambdavariables": {arity{1, 1}, (*scope).callLambdaVariables},
		"map":             {arity{2, 2}, (*scope).callMap},
		"filter":          {arity{2, 2}, (*scope).callFilter},
		"reduce":          {arity{3, 3}, (*scope).callReduce},
		"toobject":        {arity{2, 3}, (*scope).callToObject},
		"sort":            {arity{2, 2}, (*scope).callSort},
		"mapvalues":       {arity{2, 2}, (*scope).callMapValues},
		"groupby":         {arity{2, 2}, (*scope).callGroupBy},
		"resourceinfo":    {arity{1, 1}, (*scope).callResourceInfo},
		"reference":       {arity{1, 3}, (*scope).callReference},
	}
}

func (s *scope) callParameters(arguments []expression) *document.Node {
	return s.named(arguments[0], s.parameters, "parameter")
}

func (s *scope) callVariables(arguments []expression) *document.Node {
	return s.named(arguments[0], s.variables, "variable")
}

func (s *scope) named(argument expression, values map[string]*lazy, kind string) *document.Node {
	name := s.evaluate(argument)
	if isUnresolved(name) {
		return name
	}
	value := values[strings.ToLower(name.Text)]
	if value == nil {
		return unresolved("the %s %s is not declared; give the whole template", kind, name.Text)
	}
	return value.value("the " + kind + " " + name.Text)
}

// callCopyIndex returns the index of a loop from an offset: of that with the name; without a name of the resource's loop, or else of
// the innermost.
func (s *scope) callCopyIndex(arguments []expression) *document.Node {
	name, offset := "", int64(0)
	for _, argument := range arguments {
		value := s.evaluate(argument)
		if isUnresolved(value) {
			return value
		}
		if number, whole := value.Integer(); whole {
			offset = number
		} else {
			name = value.Text
		}
	}
	turn := s.turn(name)
	if turn == nil {
		return unresolved("copyIndex(%s) is outside of its loop", name)
	}
	index, whole := turn.index.Integer()
	if !whole {
		return turn.index
	}
	return integer(index + offset)
}

// turn returns the loop that copyIndex() with a name or without means, nil if there is none.
func (s *scope) turn(name string) (found *loop) {
	for i := range s.loops {
		turn := &s.loops[i]
		if name != "" && strings.EqualFold(name, turn.name) || name == "" && (found == nil || turn.resource || !found.resource) {
			found = turn
		}
	}
	return found
}

func (s *scope) callIf(arguments []expression) *document.Node {
	condition := s.evaluate(arguments[0])
	switch {
	case isUnresolved(condition):
		return condition
	case isTrue(condition):
		return s.evaluate(arguments[1])
	default:
		return s.evaluate(arguments[2])
	}
}

func isTrue(n *document.Node) bool { return strings.EqualFold(n.Text, "true") }

func (s *scope) callAnd(arguments []expression) *document.Node { return s.logical(arguments, false) }

func (s *scope) callOr(arguments []expression) *document.Node { return s.logical(arguments, true) }

// logical ends with the first argument that decides; without one, an argument that is not known makes the answer unknown.
func (s *scope) logical(arguments []expression, decides bool) *document.Node {
	var unknown *document.Node
	for _, argument := range arguments {
		value := s.evaluate(argument)
		switch {
		case isUnresolved(value):
			unknown = value
		case isTrue(value) == decides:
			return boolean(decides)
		}
	}
	if unknown != nil {
		return unknown
	}
	return boolean(!decides)
}

func (s *scope) callCoalesce(arguments []expression) *document.Node {
	for _, argument := range arguments {
		if value := s.evaluate(argument); value.Kind != document.Null {
			return value
		}
	}
	return null()
}

func (s *scope) callLambdaVariables(arguments []expression) *document.Node {
	name := s.evaluate(arguments[0])
	if value := s.locals[strings.ToLower(name.Text)]; value != nil {
		return value
	}
	return unresolved("the lambda variable %s is not declared", name.Text)
}
