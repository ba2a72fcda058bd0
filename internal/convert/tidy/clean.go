package tidy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// clean returns the settings of a map in the form that the extension's reader takes. ok is false if one of them decides what the
// certificate is and cannot be read: then there is no object.
func (r *reading) clean(v find.Value) (members []document.Member, ok bool) {
	for _, m := range v.Node.Members {
		at := find.Value{Place: v.At(m.Key, m.Line), Node: m.Node}
		key := strings.ToLower(m.Key)
		if at.Node.Absent() || key == strings.ToLower(observed) || key == strings.ToLower(secrets) || isIdentity(key) {
			continue
		}
		node, keep, fatal := r.value(key, at)
		if fatal {
			return nil, false
		}
		if keep {
			members = append(members, document.Member{Key: m.Key, Line: m.Line, Node: node})
		}
	}
	return members, true
}

// isIdentity reports whether a key is that of the identity.
func isIdentity(key string) bool {
	return strings.EqualFold(key, authentication) || strings.EqualFold(key, "authenticationLocationSettings")
}

// decisive are the settings that say which certificate goes where.
var decisive = []string{url, strings.ToLower(store), strings.ToLower(location), "certificatestore"}

// value puts the form of one setting right. keep is false if it is left out, fatal if the certificate is.
func (r *reading) value(key string, at find.Value) (node *document.Node, keep, fatal bool) {
	known := slices.Contains(decisive, key)
	if why := r.unknown(at.Node); why != "" {
		if known {
			why += "; this certificate is left out"
		}
		r.Findings.Hand(at.Place, "%s", why)
		return nil, false, known
	}
	if linux[key] {
		r.Findings.Hand(at.Place, "is a setting for Linux: Linux nodes have no certificate store, so this is not converted")
		return nil, false, true
	}
	switch key {
	case url:
		node = r.url(at)
		return node, node != nil, node == nil
	case strings.ToLower(location):
		return at.Node, true, r.wrongLocation(at)
	case strings.ToLower(store), "certificatestore":
		return at.Node, true, r.wrongStore(at)
	case strings.ToLower(interval):
		node = r.interval(at)
	case strings.ToLower(exportable), strings.ToLower(link), strings.ToLower(initialSync):
		node = r.boolean(at)
	case accounts:
		node = r.accounts(at)
	default:
		node = at.Node
	}
	return node, node != nil, false
}

// linux are settings of the extension for Linux that change what a certificate is; others are named and left out.
var linux = map[string]bool{"aclenabled": true, "acls": true, "customsymboliclinkname": true}

var template = regexp.MustCompile(`\{\{.*?\}\}|#\{.*?\}|\$\{.*?\}|\$\(.*?\)|\{%.*?%\}`)

// unknown says why a value is not known: it is Unresolved, or has a variable of a template language.
func (r *reading) unknown(n *document.Node) string {
	if n.Kind == document.Unresolved {
		return n.Text
	}
	if n.Kind == document.String && template.MatchString(n.Text) {
		return fmt.Sprintf("is %s: variables are not evaluated here; write the value", finding.Shown(n))
	}
	return ""
}

func (r *reading) wrongLocation(at find.Value) bool {
	plain := strings.NewReplacer("_", "", " ", "").Replace(strings.ToLower(at.Node.Text))
	switch {
	case at.Node.Kind == document.String && (plain == "localmachine" || plain == "currentuser"):
		return false
	case at.Node.Kind == document.String && strings.HasPrefix(strings.TrimSpace(at.Node.Text), "/"):
		r.Findings.Hand(at.Place, "is %s, a directory of Linux: Linux nodes have no certificate store, so this is not converted", finding.Shown(at.Node))
	default:
		r.Findings.Hand(at.Place, "is %s, must be LocalMachine or CurrentUser; this certificate is left out", finding.Shown(at.Node))
	}
	return true
}

// wrongStore reports a store that has no name. What is wrong with a name, the CRD's rules say.
func (r *reading) wrongStore(at find.Value) bool {
	if at.Node.Kind == document.String {
		return false
	}
	r.Findings.Hand(at.Place, "is %s, must be the name of a store, such as MY; this certificate is left out", finding.Shown(at.Node))
	return true
}
