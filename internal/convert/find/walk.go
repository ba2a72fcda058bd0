package find

import (
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/internal/convert/arm"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// deepest bounds how deep values in strings in values may be.
const deepest = 200

// Document looks through one document of a file.
func (f *Finder) Document(file string, root *document.Node) {
	if root.Kind == document.List && len(root.Items) == 0 {
		f.Known = true // a list of az that has nothing
	}
	f.visit(root, around{Place: finding.Place{File: file, Line: root.Line}})
}

// Part looks through a resource of an evaluated template.
func (f *Finder) Part(part arm.Part) {
	f.Known = true
	f.visit(part.Resource, around{Place: finding.Place{File: part.File, Line: part.Resource.Line}, skipped: part.Skipped, doubt: part.Doubt})
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
	case f.kubernetes(n, a), f.terraform(n, a), f.template(n, a):
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
		if !secret[simple(m.Key)] {
			f.visit(m.Node, a.at(m.Key, m.Line))
		}
	}
}

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
	for _, part := range arm.Expand(arm.Template{File: a.File, Root: n}, nil, func(string) *arm.Template { return nil }).Parts {
		f.Part(part)
	}
	return true
}

// identities remembers the client ids of a machine's user-assigned identities: {id: {clientId, principalId}}, or one with its id.
func (f *Finder) identities(n *document.Node) {
	for _, m := range members(lookup(n, "userAssignedIdentities").Node) {
		if client := textOf(m.Node, "clientId"); client != "" {
			f.Clients[strings.ToLower(m.Key)] = client
		}
	}
	id := textOf(n, "id")
	if client := textOf(n, "clientId"); client != "" && strings.Contains(strings.ToLower(id), "/userassignedidentities/") {
		f.Clients[strings.ToLower(id)] = client
	}
	if properties := present(n, "properties"); properties.Node != nil && strings.Contains(strings.ToLower(id), "/userassignedidentities/") {
		if client := textOf(properties.Node, "clientId"); client != "" {
			f.Clients[strings.ToLower(id)] = client
		}
	}
}
