package find

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/vaultpane/vaultpane/internal/convert/arm"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/nearest"
)

// deepest bounds how deep values in strings in values may be.
const deepest = 200

// Document looks through one document of a file.
func (f *Finder) Document(file string, root *document.Node) {
	if isEmptyList(root) || isEmptyList(lookup(root, "data", "value").Node) {
		f.Known = true // a list of az, of Resource Graph or of Azure's API that has nothing
	}
	f.visit(root, around{Place: finding.Place{File: file, Line: root.Line}})
}

func isEmptyList(n *document.Node) bool {
	return n != nil && n.Kind == document.List && len(n.Items) == 0
}

// Template looks through the resources of an evaluated template.
func (f *Finder) Template(at finding.Place, expanded arm.Result) {
	f.Known = true
	for _, part := range expanded.Parts {
		f.visit(part.Resource, around{Place: finding.Place{File: part.File, Line: part.Resource.Line}, skipped: part.Skipped, doubt: part.Doubt})
	}
	if expanded.Incomplete {
		f.hand(around{Place: at}, "is a template that needs too many steps to be evaluated, so it is not converted as a whole; give what it deployed, such as 'az vmss list -o json' prints")
	}
}

func (f *Finder) visit(n *document.Node, a around) {
	if a.depth > deepest {
		return
	}
	switch n.Kind {
	case document.String:
		if inner := f.embedded(n); inner != nil {
			f.visit(inner, a.at("", n.Line))
		}
	case document.List:
		for i, item := range n.Items {
			f.visit(item, a.at(fmt.Sprintf("[%d]", i), item.Line))
		}
	case document.Map:
		f.object(n, a)
	default:
	}
}

// object looks at a map: it may be a document of a known kind, a machine, an extension, or settings.
func (f *Finder) object(n *document.Node, a around) {
	switch {
	case f.kubernetes(n, a), f.terraform(n, a), f.template(n, a), f.deployed(n, a):
		return
	}
	if after := lookup(n, "after"); lookup(n, "changeType").Node != nil && lookup(n, "before").Node != nil { // az deployment what-if
		if f.Known = true; after.Node != nil {
			f.visit(after.Node, a.at(after.Key, after.Line))
		}
		return
	}
	a = f.machine(n, a)
	if f.extension(n, a) {
		return
	}
	f.identities(n)
	if outer := present(n, "authenticationSettings", "authenticationLocationSettings"); outer.Node != nil {
		a.outer = Value{a.At(outer.Key, outer.Line), outer.Node}
	}
	if f.settings(n, a) {
		return
	}
	f.osProfile(n, a)
	f.children(n, a)
}

// secret are keys whose values are never looked at.
var secret = map[string]bool{"protectedsettings": true, "protectedsettingsfromkeyvault": true, "adminpassword": true, "customdata": true, "userdata": true}

func (f *Finder) children(n *document.Node, a around) {
	for _, m := range n.Members {
		switch {
		case secret[simple(m.Key)]:
		case misspelt(m):
			f.Known = true
			f.hand(a.at(m.Key, m.Line), "is not a setting of the extension; probably secretsManagementSettings is meant, correct or remove it")
		case carriers[simple(m.Key)] && damaged.MatchString(m.Text):
			f.Known = true
			f.hand(a.at(m.Key, m.Line), "is what ConvertTo-Json writes for values below its -Depth, so what is in it%s is not known; write it again with -Depth 10", f.on(a))
		default:
			f.visit(m.Node, a.at(m.Key, m.Line))
		}
	}
}

// misspelt reports whether a key is probably secretsManagementSettings. The word settings alone is none.
func misspelt(m document.Member) bool {
	const right = "secretsManagementSettings"
	near := len(m.Key) > len("settings") && nearest.Name(m.Key, []string{right}) != ""
	return near && simple(m.Key) != strings.ToLower(right) && (m.Kind == document.Map || m.Kind == document.String)
}

// carriers are keys of machines under which extensions and certificates are.
var carriers = map[string]bool{"virtualmachineprofile": true, "extensionprofile": true, "extensions": true, "osprofile": true, "secrets": true, "vaultcertificates": true}

// damaged is what ConvertTo-Json writes for a value below its -Depth.
var damaged = regexp.MustCompile(`^(System\.[A-Z]|Microsoft\.Azure\.|@\{)`)

// embedded returns the JSON in a string if it may have settings.
func (f *Finder) embedded(n *document.Node) *document.Node {
	text := strings.TrimSpace(n.Text)
	if text == "" || !strings.ContainsAny(text[:1], `{["`) {
		return nil
	}
	lower := strings.ToLower(text)
	if !strings.Contains(lower, "observedcertificates") && !strings.Contains(lower, "secretsmanagementsettings") && !strings.Contains(lower, "keyvaultforwindows") {
		return nil
	}
	inner, problems := f.Parser.Embedded(n)
	if len(problems) > 0 || inner.Kind == document.String && inner.Text == n.Text {
		return nil
	}
	return inner
}

// template evaluates a template within another document, such as the one that a deployment shows.
func (f *Finder) template(n *document.Node, a around) bool {
	if a.Path == "" || !arm.IsTemplate(n) {
		return false
	}
	f.Template(a.Place, arm.Expand(arm.Template{File: a.File, Root: n}, nil, nil))
	return true
}
