package arm

import (
	"encoding/base64"
	"net/url"
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

var stringFunctions = map[string]function{
	"string":               {arity{1, 1}, false, callString},
	"format":               {arity{1, 0}, false, callFormat},
	"tolower":              {arity{1, 1}, false, ofText(func(s string) *document.Node { return text(strings.ToLower(s)) })},
	"toupper":              {arity{1, 1}, false, ofText(func(s string) *document.Node { return text(strings.ToUpper(s)) })},
	"trim":                 {arity{1, 1}, false, ofText(func(s string) *document.Node { return text(strings.TrimSpace(s)) })},
	"uri":                  {arity{2, 2}, false, callURI},
	"uricomponent":         {arity{1, 1}, false, ofText(func(s string) *document.Node { return text(strings.ReplaceAll(url.QueryEscape(s), "+", "%20")) })},
	"uricomponenttostring": {arity{1, 1}, false, ofText(callUnescape)},
	"base64":               {arity{1, 1}, false, ofText(func(s string) *document.Node { return text(base64.StdEncoding.EncodeToString([]byte(s))) })},
	"base64tostring":       {arity{1, 1}, false, ofText(fromBase64)},
	"base64tojson":         {arity{1, 1}, false, func(a []*document.Node) *document.Node { return callJSON([]*document.Node{ofText(fromBase64)(a)}) }},
	"json":                 {arity{1, 1}, false, callJSON},
	"replace":              {arity{3, 3}, false, callReplace},
	"split":                {arity{2, 2}, false, callSplit},
	"join":                 {arity{2, 2}, false, callJoin},
	"substring":            {arity{2, 3}, false, callSubstring},
	"padleft":              {arity{2, 3}, false, callPadLeft},
	"startswith":           {arity{2, 2}, false, ofFolded(strings.HasPrefix)},
	"endswith":             {arity{2, 2}, false, ofFolded(strings.HasSuffix)},
	"indexof":              {arity{2, 2}, false, indexOf(strings.Index, false)},
	"lastindexof":          {arity{2, 2}, false, indexOf(strings.LastIndex, true)},
}

func ofText(make func(string) *document.Node) func([]*document.Node) *document.Node {
	return func(a []*document.Node) *document.Node { return make(a[0].Text) }
}

// ofFolded makes a function that compares without regard to case, as startsWith and endsWith do.
func ofFolded(holds func(s, part string) bool) func([]*document.Node) *document.Node {
	return func(a []*document.Node) *document.Node {
		return boolean(holds(strings.ToLower(a[0].Text), strings.ToLower(a[1].Text)))
	}
}

func callURI(a []*document.Node) *document.Node {
	base, err := url.Parse(a[0].Text)
	if err != nil {
		return unresolved("uri() has a base that is no URL")
	}
	relative, err := url.Parse(a[1].Text)
	if err != nil {
		return unresolved("uri() has a second part that is no URL")
	}
	return text(base.ResolveReference(relative).String())
}

func callUnescape(s string) *document.Node {
	unescaped, err := url.PathUnescape(s)
	if err != nil {
		return unresolved("uriComponentToString() has a wrong escape")
	}
	return text(unescaped)
}

func fromBase64(s string) *document.Node {
	content, err := base64.StdEncoding.DecodeString(strings.TrimSpace(s))
	if err != nil {
		return unresolved("a string is not base64")
	}
	return text(string(content))
}

func callJSON(a []*document.Node) *document.Node {
	if isUnresolved(a[0]) {
		return a[0]
	}
	if strings.TrimSpace(a[0].Text) == "null" {
		return null()
	}
	made, problems := a[0].Embedded()
	if len(problems) > 0 {
		return unresolved("json() of a string that is not JSON: %s", problems[0].Text)
	}
	return made
}

func callReplace(a []*document.Node) *document.Node {
	if a[1].Text == "" {
		return a[0]
	}
	if grown := strings.Count(a[0].Text, a[1].Text) * len(a[2].Text); grown > longestText {
		return unresolved("replace() would make a string longer than 1 MiB")
	}
	return text(strings.ReplaceAll(a[0].Text, a[1].Text, a[2].Text))
}

// callSplit splits at a string, or at each of several.
func callSplit(a []*document.Node) *document.Node {
	parts := []string{a[0].Text}
	separators := []*document.Node{a[1]}
	if a[1].Kind == document.List {
		separators = a[1].Items
	}
	for _, separator := range separators {
		var finer []string
		for _, part := range parts {
			if separator.Text == "" {
				finer = append(finer, part)
				continue
			}
			finer = append(finer, strings.Split(part, separator.Text)...)
		}
		parts = finer
	}
	items := make([]*document.Node, len(parts))
	for i, part := range parts {
		items[i] = text(part)
	}
	return list(items)
}

func callJoin(a []*document.Node) *document.Node {
	if unknown := firstUnresolved(a[0]); unknown != nil {
		return unknown
	}
	parts := make([]string, len(a[0].Items))
	for i, item := range a[0].Items {
		parts[i] = plain(item).Text
	}
	return text(strings.Join(parts, a[1].Text))
}

func callSubstring(a []*document.Node) *document.Node {
	letters := []rune(a[0].Text)
	start, whole := a[1].Integer()
	length := int64(len(letters)) - start
	if len(a) > 2 {
		length, _ = a[2].Integer()
	}
	if !whole || start < 0 || length < 0 || start+length > int64(len(letters)) {
		return unresolved("substring() reaches beyond its string")
	}
	return text(string(letters[start : start+length]))
}

func callPadLeft(a []*document.Node) *document.Node {
	width, whole := a[1].Integer()
	with := " "
	if len(a) > 2 && a[2].Text != "" {
		with = a[2].Text
	}
	if !whole || width < 0 || width > 1000 {
		return unresolved("padLeft() has the width %s", a[1].Shown())
	}
	written := plain(a[0]).Text
	return text(strings.Repeat(with, max(int(width)-len([]rune(written)), 0)) + written)
}

// indexOf makes a function that finds a part, in a string without regard to case, or an element in a list.
func indexOf(find func(s, part string) int, last bool) func([]*document.Node) *document.Node {
	return func(a []*document.Node) *document.Node {
		if a[0].Kind != document.List {
			return integer(int64(find(strings.ToLower(a[0].Text), strings.ToLower(a[1].Text))))
		}
		found := int64(-1)
		for i, item := range a[0].Items {
			is, unknown := equal(item, a[1])
			if unknown != nil {
				return unknown
			}
			if is && (last || found < 0) {
				found = int64(i)
			}
		}
		return integer(found)
	}
}

func callInt(a []*document.Node) *document.Node {
	if a[0].Kind == document.Number {
		return a[0]
	}
	number, err := strconv.ParseInt(strings.TrimSpace(a[0].Text), 10, 64)
	if err != nil {
		return unresolved("int() of %s, which is no whole number", a[0].Shown())
	}
	return integer(number)
}
