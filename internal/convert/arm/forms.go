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

// callCopyIndex returns the index of a loop: of the innermost, or of that with the name; from an offset.
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
	for i := len(s.loops) - 1; i >= 0; i-- {
		if name != "" && !strings.EqualFold(name, s.loops[i].name) {
			continue
		}
		index, whole := s.loops[i].index.Integer()
		if !whole {
			return s.loops[i].index
		}
		return integer(index + offset)
	}
	return unresolved("copyIndex(%s) is outside of its loop", name)
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

// lambda calls the function lambda('a', body) or lambda('a', 'b', body) with values.
func (s *scope) lambda(e expression, values ...*document.Node) *document.Node {
	c, is := e.(call)
	if !is || c.name != "lambda" || len(c.arguments) < 2 {
		return unresolved("a lambda is missing")
	}
	inner := s
	last := len(c.arguments) - 1
	for i, name := range c.arguments[:last] {
		if i < len(values) {
			inner = inner.with(s.evaluate(name).Text, values[i])
		}
	}
	return inner.evaluate(c.arguments[last])
}

// items evaluates an argument that must be a list.
func (s *scope) items(argument expression) ([]*document.Node, *document.Node) {
	value := s.evaluate(argument)
	switch {
	case isUnresolved(value):
		return nil, value
	case value.Kind != document.List:
		return nil, unresolved("%s stands where a list is needed", value.Kind)
	}
	return value.Items, nil
}

func (s *scope) callMap(arguments []expression) *document.Node {
	items, unknown := s.items(arguments[0])
	if unknown != nil {
		return unknown
	}
	made := make([]*document.Node, len(items))
	for i, item := range items {
		made[i] = s.lambda(arguments[1], item, integer(int64(i)))
	}
	return list(made)
}

func (s *scope) callFilter(arguments []expression) *document.Node {
	items, unknown := s.items(arguments[0])
	if unknown != nil {
		return unknown
	}
	var made []*document.Node
	for i, item := range items {
		keep := s.lambda(arguments[1], item, integer(int64(i)))
		if isUnresolved(keep) {
			return keep
		}
		if isTrue(keep) {
			made = append(made, item)
		}
	}
	return list(made)
}

func (s *scope) callReduce(arguments []expression) *document.Node {
	items, unknown := s.items(arguments[0])
	if unknown != nil {
		return unknown
	}
	value := s.evaluate(arguments[1])
	for i, item := range items {
		value = s.lambda(arguments[2], value, item, integer(int64(i)))
	}
	return value
}

func (s *scope) callToObject(arguments []expression) *document.Node {
	items, unknown := s.items(arguments[0])
	if unknown != nil {
		return unknown
	}
	var members []document.Member
	for _, item := range items {
		key, value := s.lambda(arguments[1], item), item
		if isUnresolved(key) {
			return key
		}
		if len(arguments) > 2 {
			value = s.lambda(arguments[2], item)
		}
		members = put(members, key.Text, value)
	}
	return object(members)
}
