package arm

import (
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// tree evaluates all expressions of a value, and its loops. Lines are those of the template.
func (s *scope) tree(n *document.Node) *document.Node {
	if !s.world.step() {
		return unresolved("the template needs too many steps").At(n.Line)
	}
	switch n.Kind {
	case document.String:
		return s.string(n)
	case document.List:
		made := *n
		made.Items = make([]*document.Node, len(n.Items))
		for i, item := range n.Items {
			made.Items[i] = s.tree(item)
		}
		return &made
	case document.Map:
		made := *n
		made.Members = nil
		for _, m := range n.Members {
			made.Members = append(made.Members, s.members(m)...)
		}
		return &made
	default:
		return n
	}
}

// members evaluates a key with its value: the key copy has loops, each of which makes a list.
func (s *scope) members(m document.Member) []document.Member {
	if !strings.EqualFold(m.Key, "copy") || m.Kind != document.List {
		return []document.Member{{Key: m.Key, Line: m.Line, Node: s.tree(m.Node)}}
	}
	var made []document.Member
	for _, each := range m.Items {
		made = append(made, document.Member{Key: textOf(each, "name"), Line: each.Line, Node: s.repeated(each)})
	}
	return made
}

// repeated makes the list of a loop {name, count, input}.
func (s *scope) repeated(each *document.Node) *document.Node {
	name, input := textOf(each, "name"), each.Fold("input").Node
	if input == nil {
		return unresolved("the loop %s has no input", name).At(each.Line)
	}
	count, why := s.count(each)
	if why != nil {
		return why.At(each.Line)
	}
	made := &document.Node{Kind: document.List, Line: each.Line}
	for i := range count {
		made.Items = append(made.Items, s.within(loop{name: name, index: integer(i)}).tree(input))
	}
	return made
}

// count returns how often a loop runs, or why that is not known.
func (s *scope) count(each *document.Node) (int64, *document.Node) {
	declared := each.Fold("count").Node
	if declared == nil {
		return 0, unresolved("the loop %s has no count", textOf(each, "name"))
	}
	made := s.tree(declared)
	if isUnresolved(made) {
		return 0, made
	}
	count, whole := made.Integer()
	if !whole || count < 0 || count > longestList {
		return 0, unresolved("the count of the loop %s is %s, must be 0 to %d", textOf(each, "name"), made.Shown(), longestList)
	}
	return count, nil
}

// string evaluates an expression, or returns the string itself.
func (s *scope) string(n *document.Node) *document.Node {
	if strings.HasPrefix(n.Text, "[[") {
		made := *n
		made.Text = n.Text[1:]
		return &made
	}
	if !Is(n.Text) {
		return n
	}
	parsed, err := parse(n.Text)
	if err != nil {
		return unresolved("the expression %s is not valid: %v", document.Shown(n.Text), err).At(n.Line)
	}
	return s.evaluate(parsed).At(n.Line)
}

func (s *scope) evaluate(e expression) *document.Node {
	if !s.world.step() {
		return unresolved("the template needs too many steps")
	}
	switch e := e.(type) {
	case literal:
		return e.value
	case access:
		key := s.evaluate(e.key)
		return property(s.evaluate(e.of), key, e.safe)
	case call:
		return s.call(e)
	default:
		return unresolved("the expression is not known")
	}
}

// call evaluates a function: one that decides itself which of its arguments it needs, one of the template's own, or one of values.
func (s *scope) call(c call) *document.Node {
	if form := forms[c.name]; form.make != nil {
		if wrong := form.check(c); wrong != nil {
			return wrong
		}
		return form.make(s, c.arguments)
	}
	arguments := make([]*document.Node, len(c.arguments))
	for i, argument := range c.arguments {
		arguments[i] = s.evaluate(argument)
	}
	if declared := s.functions[c.name]; declared != nil {
		return s.own(c.name, declared, arguments)
	}
	f, known := functions[c.name]
	if !known {
		if strings.HasPrefix(c.name, "list") {
			return unresolved("what %s() returns is known to Azure alone", c.name)
		}
		return unresolved("the function %s() is not evaluated here", c.name)
	}
	if wrong := f.check(c); wrong != nil {
		return wrong
	}
	for _, argument := range arguments {
		if isUnresolved(argument) && !f.partial {
			return argument
		}
	}
	return f.make(arguments)
}

// own evaluates a function that the template defines. It sees its parameters alone.
func (s *scope) own(name string, declared *document.Node, arguments []*document.Node) *document.Node {
	output := declared.Fold("output").Node
	if output == nil || output.Fold("value").Node == nil {
		return unresolved("the function %s has no output", name)
	}
	given := Values{}
	parameters := &document.Node{Kind: document.Map, Line: declared.Line}
	if declared := declared.Fold("parameters").Node; declared != nil {
		for i, parameter := range declared.Items {
			key := textOf(parameter, "name")
			parameters.Members = append(parameters.Members, member(key, parameter))
			if i < len(arguments) {
				given[strings.ToLower(key)] = arguments[i]
			}
		}
	}
	inner := newScope(s.world, s.file, object([]document.Member{member("parameters", parameters)}), given)
	return inner.tree(output.Fold("value").Node)
}

// arity bounds how many arguments a function takes; a most of 0 means any number.
type arity struct{ least, most int }

func (a arity) check(c call) *document.Node {
	if len(c.arguments) < a.least || a.most > 0 && len(c.arguments) > a.most {
		return unresolved("%s() has %d arguments, which it does not take", c.name, len(c.arguments))
	}
	return nil
}
