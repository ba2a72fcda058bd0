package arm

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// plain is a value as concat and format write it.
func plain(n *document.Node) *document.Node {
	switch n.Kind {
	case document.List, document.Map:
		if unknown := firstUnresolved(n); unknown != nil {
			return unknown
		}
		return text(jsonOf(n))
	case document.Boolean:
		return text(strings.ToUpper(n.Text[:1]) + n.Text[1:]) // as .NET writes it
	case document.Null:
		return text("")
	default:
		return text(n.Text)
	}
}

func callString(a []*document.Node) *document.Node { return plain(a[0]) }

var placeholder = regexp.MustCompile(`\{\{|\}\}|\{([0-9]+)(?::([^{}]*))?\}`)

// callFormat fills {0}, {1:D2} and the like; {{ and }} stand for braces.
func callFormat(a []*document.Node) *document.Node {
	var unknown *document.Node
	made := placeholder.ReplaceAllStringFunc(a[0].Text, func(found string) string {
		if found == "{{" || found == "}}" {
			return found[:1]
		}
		parts := placeholder.FindStringSubmatch(found)
		index, err := strconv.Atoi(parts[1])
		if err != nil || index+1 >= len(a) {
			unknown = unresolved("format() has no argument for %s", found)
			return ""
		}
		value := formatted(a[index+1], parts[2])
		if isUnresolved(value) {
			unknown = value
		}
		return value.Text
	})
	if unknown != nil {
		return unknown
	}
	return text(made)
}

var zeros = regexp.MustCompile(`^(?:[Dd]([0-9]{1,2})|(0{1,20}))$`)

// formatted writes a value, a whole number with leading zeros if the format asks for them (D3 or 000).
func formatted(value *document.Node, form string) *document.Node {
	if form == "" {
		return plain(value)
	}
	parts := zeros.FindStringSubmatch(form)
	number, whole := value.Integer()
	if parts == nil || !whole || number < 0 {
		return unresolved("the format {:%s} is not evaluated here", form)
	}
	digits := len(parts[2])
	if parts[1] != "" {
		digits, _ = strconv.Atoi(parts[1])
	}
	written := strconv.FormatInt(number, 10)
	return text(strings.Repeat("0", max(digits-len(written), 0)) + written)
}
