package arm

import (
	"maps"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// function makes a value of values. A partial one takes values that are not known.
type function struct {
	arity
	partial bool
	make    func([]*document.Node) *document.Node
}

// functions are those of values alone, by their names in lower case.
var functions = map[string]function{}

func init() {
	for _, part := range []map[string]function{logicalFunctions, numberFunctions, stringFunctions, listFunctions, objectFunctions, resourceFunctions} {
		maps.Copy(functions, part)
	}
}

var logicalFunctions = map[string]function{
	"true":  {arity{0, 0}, false, func([]*document.Node) *document.Node { return boolean(true) }},
	"false": {arity{0, 0}, false, func([]*document.Node) *document.Node { return boolean(false) }},
	"null":  {arity{0, 0}, false, func([]*document.Node) *document.Node { return null() }},
	"not":   {arity{1, 1}, false, func(a []*document.Node) *document.Node { return boolean(!isTrue(a[0])) }},
	"bool":  {arity{1, 1}, false, callBool},
	"equals": {arity{2, 2}, false, func(a []*document.Node) *document.Node {
		is, unknown := equal(a[0], a[1])
		if unknown != nil {
			return unknown
		}
		return boolean(is)
	}},
	"less":            {arity{2, 2}, false, compare(func(order int) bool { return order < 0 })},
	"lessorequals":    {arity{2, 2}, false, compare(func(order int) bool { return order <= 0 })},
	"greater":         {arity{2, 2}, false, compare(func(order int) bool { return order > 0 })},
	"greaterorequals": {arity{2, 2}, false, compare(func(order int) bool { return order >= 0 })},
}

func callBool(a []*document.Node) *document.Node {
	if number, whole := a[0].Integer(); whole {
		return boolean(number != 0)
	}
	return boolean(isTrue(a[0]) || a[0].Text == "1")
}

func compare(holds func(order int) bool) func([]*document.Node) *document.Node {
	return func(a []*document.Node) *document.Node {
		x, wholeX := a[0].Integer()
		y, wholeY := a[1].Integer()
		switch {
		case wholeX && wholeY:
			return boolean(holds(order(x, y)))
		case a[0].Kind == document.String && a[1].Kind == document.String:
			return boolean(holds(order(a[0].Text, a[1].Text)))
		}
		return unresolved("%s and %s cannot be compared", a[0].Kind, a[1].Kind)
	}
}

func order[T int64 | string](x, y T) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

var numberFunctions = map[string]function{
	"add": {arity{2, 2}, false, arithmetic(func(x, y int64) int64 { return x + y })},
	"sub": {arity{2, 2}, false, arithmetic(func(x, y int64) int64 { return x - y })},
	"mul": {arity{2, 2}, false, arithmetic(func(x, y int64) int64 { return x * y })},
	"div": {arity{2, 2}, false, division(func(x, y int64) int64 { return x / y })},
	"mod": {arity{2, 2}, false, division(func(x, y int64) int64 { return x % y })},
	"min": {arity{1, 0}, false, extreme(func(x, y int64) bool { return x < y })},
	"max": {arity{1, 0}, false, extreme(func(x, y int64) bool { return x > y })},
	"int": {arity{1, 1}, false, callInt},
}

func arithmetic(make func(x, y int64) int64) func([]*document.Node) *document.Node {
	return func(a []*document.Node) *document.Node {
		x, wholeX := a[0].Integer()
		y, wholeY := a[1].Integer()
		if !wholeX || !wholeY {
			return unresolved("%s and %s are no whole numbers", a[0].Shown(), a[1].Shown())
		}
		return integer(make(x, y))
	}
}

func division(make func(x, y int64) int64) func([]*document.Node) *document.Node {
	return func(a []*document.Node) *document.Node {
		if divisor, _ := a[1].Integer(); divisor == 0 {
			return unresolved("a number is divided by zero")
		}
		return arithmetic(make)(a)
	}
}

func extreme(better func(x, y int64) bool) func([]*document.Node) *document.Node {
	return func(a []*document.Node) *document.Node {
		if len(a) == 1 && a[0].Kind == document.List {
			a = a[0].Items
		}
		if unknown := firstUnresolved(a...); unknown != nil || len(a) == 0 {
			return unresolved("the least or greatest of a list is not known")
		}
		best := a[0]
		for _, candidate := range a {
			x, wholeX := candidate.Integer()
			y, wholeY := best.Integer()
			if !wholeX || !wholeY {
				return unresolved("%s is no whole number", candidate.Shown())
			}
			if better(x, y) {
				best = candidate
			}
		}
		return best
	}
}
