package tidy

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/nearest"
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

// repeated names the keys of a map that are there twice. Where the values differ, the value is not known.
func (r *reading) repeated(v find.Value) {
	var kept []document.Member
	at := map[string]int{}
	for _, m := range append(slices.Clone(v.Node.Members), v.Node.Repeated...) {
		key := strings.ToLower(m.Key)
		i, again := at[key]
		if !again {
			at[key] = len(kept)
			kept = append(kept, m)
			continue
		}
		if first := kept[i]; first.Kind == document.Unresolved || fmt.Sprint(first.Any()) != fmt.Sprint(m.Any()) {
			why := fmt.Sprintf("is there twice, in the lines %d and %d, with two values, of which neither is used; remove one of the two", first.Line, m.Line)
			kept[i].Node = &document.Node{Kind: document.Unresolved, Line: m.Line, Text: why}
			continue
		}
		r.Findings.Note(v.At(m.Key, m.Line), "is there a second time, first in line %d, with the same value", kept[i].Line)
	}
	v.Node.Members, v.Node.Repeated = kept, nil
}

// misplaced names keys beside the settings that are probably misspelt, and settings of the outer level that belong within.
func (r *reading) misplaced(root, inner find.Value) {
	if root.Node == inner.Node {
		return
	}
	known := []string{secrets, authentication, "authenticationLocationSettings"}
	for _, m := range root.Node.Members {
		if slices.ContainsFunc(known, func(key string) bool { return strings.EqualFold(key, m.Key) }) || m.Absent() {
			continue
		}
		if meant := nearest.Name(m.Key, append([]string{observed, interval, store, location, link, initialSync}, known[:2]...)); meant != "" {
			what := "probably " + meant + " is meant, correct or remove it"
			if strings.EqualFold(meant, m.Key) {
				what = "it belongs within " + secrets
			}
			r.Findings.Hand(root.At(m.Key, m.Line), "is not read here; %s", what)
		}
	}
}

// counted returns the list of {"value": [...], "Count": 2}, which ConvertTo-Json of Windows PowerShell makes of some lists.
func counted(v find.Value) find.Value {
	if value := v.Node.Fold("value"); v.Node.Kind == document.Map && len(v.Node.Members) == 2 && v.Node.Fold("Count").Node != nil && value.Node != nil && value.Kind == document.List {
		return find.Value{Place: v.At(value.Key, value.Line), Node: value.Node}
	}
	return v
}

// items returns the entries of the list: of JSON in a string, of one entry alone, or of several URLs in one string.
func (r *reading) items(list find.Value) []find.Value {
	if list.Node.Kind == document.String && strings.HasPrefix(strings.TrimSpace(list.Node.Text), "[") {
		if parsed, problems := r.Parser.Embedded(list.Node); len(problems) == 0 {
			list.Node = parsed
		}
	}
	list = counted(list)
	var found []find.Value
	switch list.Node.Kind {
	case document.List:
		for i, item := range list.Node.Items {
			if !item.Absent() {
				found = append(found, find.Value{Place: list.At(fmt.Sprintf("[%d]", i), item.Line), Node: item})
			}
		}
	case document.Unresolved:
		r.Findings.Hand(list.Place, "%s; without it, no certificate is known", list.Node.Text)
	case document.String:
		words := strings.FieldsFunc(list.Node.Text, func(r rune) bool { return unicode.IsSpace(r) || r == ',' || r == ';' })
		if len(words) > 1 && !slices.ContainsFunc(words, func(word string) bool { return !strings.HasPrefix(strings.ToLower(word), "http") }) {
			r.Findings.Note(list.Place, "is one string with %d URLs, as ConvertTo-Json writes a list below its -Depth; it is read as a list", len(words))
		} else {
			words = []string{list.Node.Text}
		}
		for _, word := range words {
			found = append(found, find.Value{Place: list.Place, Node: document.NewString(word, list.Line)})
		}
	default:
		found = append(found, list)
	}
	return found
}

// vaultCertificate reads {certificateUrl, certificateStore}.
func (r *reading) vaultCertificate(n *document.Node, place finding.Place) {
	v := find.Value{Place: place, Node: n}
	if n.Kind == document.Unresolved {
		r.Findings.Hand(place, "%s; this certificate is left out", n.Text)
		return
	}
	var members []document.Member
	named := false
	for _, m := range n.Members {
		key := ""
		switch plain := strings.ReplaceAll(strings.ToLower(m.Key), "_", ""); {
		case plain == "certificateurl" || plain == url:
			key = url
		case (plain == "certificatestore" || plain == "store") && !m.Absent():
			key, named = store, true
		}
		if key == "" || m.Absent() {
			continue
		}
		node, keep, fatal := r.value(strings.ToLower(key), find.Value{Place: place.At(m.Key, m.Line), Node: m.Node})
		if fatal {
			return
		}
		if keep {
			members = append(members, document.Member{Key: key, Line: m.Line, Node: node})
		}
	}
	switch {
	case len(members) == 0:
	case !named:
		r.Findings.Hand(place, "has no certificateStore, as on Linux: Linux nodes have no certificate store, so this is not converted")
	default:
		r.read(v, members)
	}
}
