package tidy

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/settings"
	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/extension"
	"github.com/vaultpane/vaultpane/internal/settings/nearest"
)

// Entry is a certificate that a site asks for.
type Entry struct {
	finding.Place
	// Machine is the machine that has it, zero if the input does not say.
	Machine find.Machine
	// Certificate is valid by the CRD's rules. It has no name.
	Certificate v1alpha1.ObservedCertificate
}

// Tidier reads sites.
type Tidier struct {
	// Findings are what has to be said.
	Findings *finding.List
	// Reader knows the CRD's rules.
	Reader *settings.Reader
	// Parser reads JSON in strings.
	Parser document.Parser
	// Clients are client ids by the resource ids and object ids of identities, in lower case.
	Clients map[string]string
	// Latest removes versions from URLs.
	Latest bool

	certificates map[string]v1alpha1.ObservedCertificate // that are valid, by their settings: machines of a fleet have the same
	accounts     map[string]string                       // why an account's name is refused, empty if it is not
}

// Names of the extension's settings.
const (
	secrets        = "secretsManagementSettings"
	authentication = "authenticationSettings"
	observed       = "observedCertificates"
	url            = "url"
	store          = "certificateStoreName"
	location       = "certificateStoreLocation"
	interval       = "pollingIntervalInS"
	exportable     = "keyExportable"
	accounts       = "accounts"
	link           = "linkOnRenewal"
	initialSync    = "requireInitialSync"
)

// reading is the reading of one site.
type reading struct {
	*Tidier
	site    find.Site
	shared  []document.Member // beside the list, for all entries
	client  *document.Member  // msiClientId
	entries []Entry
}

// Site returns the certificates of a site.
func (t *Tidier) Site(site find.Site) []Entry {
	r := &reading{Tidier: t, site: site}
	if site.Certificates != nil {
		for i, item := range site.Certificates.Items {
			r.vaultCertificate(item, site.At(fmt.Sprintf("[%d]", i), item.Line))
		}
		return r.entries
	}
	r.settings()
	return r.entries
}

// settings reads the extension's settings.
func (r *reading) settings() {
	root := find.Value{Place: r.site.Place, Node: r.site.Settings}
	r.repeated(root)
	inner := r.member(root, secrets)
	if inner.Node.Absent() {
		inner = root
	}
	if inner = r.asMap(inner); inner.Node == nil {
		return
	}
	r.misplaced(root, inner)
	list := r.member(inner, observed)
	if list.Node.Absent() {
		r.withoutList(inner)
		return
	}
	if root.Node == inner.Node {
		r.Findings.Note(list.Place, "is not within %s, where the extension looks; it is used", secrets)
	}
	r.identity(root, inner)
	shared, ok := r.clean(inner)
	if !ok {
		return
	}
	r.shared = shared
	for _, item := range r.items(list) {
		r.item(item)
	}
}

// withoutList says why settings ask for no certificate.
func (r *reading) withoutList(inner find.Value) {
	if len(r.site.Settings.Members) == 0 {
		r.Findings.Hand(inner.Place, "is empty; if the settings were protected, Azure does not show them again: take the node's own RuntimeSettings\\*.settings")
		return
	}
	for _, m := range inner.Node.Members {
		known := []string{interval, store, location, link, initialSync, exportable, accounts, observed, secrets}
		if meant := nearest.Name(m.Key, known); (meant == observed || meant == secrets && len(m.Key) > len("settings")) && !strings.EqualFold(m.Key, meant) {
			r.Findings.Hand(inner.At(m.Key, m.Line), "is not a setting of the extension; probably %s is meant, correct or remove it", meant)
			return
		}
	}
	r.Findings.Note(inner.At(observed, inner.Line), "is not there, so no certificate is asked for")
}

// member returns the value of a key with its place.
func (r *reading) member(of find.Value, key string) find.Value {
	m := of.Node.Fold(key)
	if m.Node == nil {
		return find.Value{Place: of.At(key, of.Line)}
	}
	return find.Value{Place: of.At(m.Key, m.Line), Node: m.Node}
}

// asMap returns a map, also one that is JSON in a string. Without one, it says why and the Node is nil.
func (r *reading) asMap(v find.Value) find.Value {
	for range 3 {
		if v.Node.Kind != document.String {
			break
		}
		parsed, problems := r.Parser.Embedded(v.Node)
		if len(problems) > 0 || parsed.Kind == document.String && parsed.Text == v.Node.Text {
			break
		}
		v.Node = parsed
	}
	switch v.Node.Kind {
	case document.Map:
		r.repeated(v)
		return v
	case document.Unresolved:
		r.Findings.Hand(v.Place, "%s", v.Node.Text)
	default:
		r.Findings.Hand(v.Place, "is %s, must be a map of settings", v.Node.Kind)
	}
	return find.Value{Place: v.Place}
}

// item reads one entry of the list.
func (r *reading) item(v find.Value) {
	if v.Node.Kind == document.String && strings.HasPrefix(strings.TrimSpace(v.Node.Text), "{") {
		if parsed, problems := r.Parser.Embedded(v.Node); len(problems) == 0 && parsed.Kind == document.Map {
			v.Node = parsed
		}
	}
	switch v.Node.Kind {
	case document.Map:
	case document.Unresolved:
		r.Findings.Hand(v.Place, "%s; this certificate is left out", v.Node.Text)
		return
	default:
		v.Node = &document.Node{Kind: document.Map, Line: v.Line, Members: []document.Member{{Key: url, Line: v.Line, Node: v.Node}}}
	}
	r.repeated(v)
	for _, m := range v.Node.Members {
		if isIdentity(m.Key) && !m.Absent() {
			r.Findings.Hand(v.At(m.Key, m.Line), "is not read here; it belongs beside %s, for all certificates", secrets)
		}
	}
	members, ok := r.clean(v)
	if ok {
		r.read(v, members)
	}
}

// read lets the extension's own reader read one entry that is tidy.
func (r *reading) read(v find.Value, members []document.Member) {
	entry := &document.Node{Kind: document.Map, Line: v.Line, Members: members}
	list := &document.Node{Kind: document.List, Line: v.Line, Items: []*document.Node{entry}}
	inner := &document.Node{Kind: document.Map, Line: v.Line, Members: append([]document.Member{{Key: observed, Line: v.Line, Node: list}}, r.shared...)}
	root := &document.Node{Kind: document.Map, Line: v.Line, Members: []document.Member{{Key: secrets, Line: v.Line, Node: inner}}}
	if r.client != nil {
		identity := &document.Node{Kind: document.Map, Line: r.client.Line, Members: []document.Member{*r.client}}
		root.Members = append(root.Members, document.Member{Key: authentication, Line: r.client.Line, Node: identity})
	}
	found, problems, notes := extension.Read(root)
	for _, problem := range problems {
		r.Findings.Hand(r.place(v, problem.Field, problem.Line), "%s", sentence(problem.Value, problem.Text))
	}
	for _, note := range notes {
		r.Findings.Note(r.place(v, note.Field, note.Line), "%s", sentence(note.Value, note.Text))
	}
	for _, entry := range found {
		r.entry(v, entry)
	}
}

// place turns a path of the tidy document into the path of the input.
func (r *reading) place(v find.Value, field string, line int) finding.Place {
	if rest, within := strings.CutPrefix(field, secrets+"."+observed+"[0]"); within {
		return finding.Place{File: v.File, Line: line, Path: v.Path + rest}
	}
	return r.site.At(field, line)
}

func sentence(value, text string) string {
	if value == "" {
		return text
	}
	if plain, err := strconv.Unquote(value); err == nil {
		value = finding.Quoted(plain)
	}
	return "is " + value + ": " + text
}

// entry checks an entry by the CRD's rules and adds it.
func (r *reading) entry(v find.Value, entry extension.Entry) {
	entry.Incomplete = false // what is left out has been said
	r.version4(v, entry)
	r.withoutWrongAccounts(v, entry)
	certificate, problems := r.certificate(v, entry)
	said := map[string]bool{}
	for _, problem := range problems {
		if said[problem.Field] {
			continue // what follows from the first
		}
		said[problem.Field] = true
		value := problem.Value
		if strings.HasSuffix(problem.Field, url) {
			value = finding.Shown(entry.Sources[url].Node)
		}
		r.Findings.Hand(r.place(v, problem.Field, problem.Line), "%s; this certificate is left out", sentence(value, problem.Text))
	}
	if len(problems) > 0 {
		return
	}
	r.pinned(v, certificate.Spec.URL)
	if certificate.Spec.LinkOnRenewal {
		r.Findings.Note(finding.Place{}, "linkOnRenewal: the extension links every certificate of the store whose names the new one covers; Vaultpane links the versions of one certificate only")
	}
	r.entries = append(r.entries, Entry{Place: v.Place, Machine: r.site.Machine, Certificate: certificate})
}

// withoutWrongAccounts leaves out accounts that the CRD's rules refuse.
func (r *reading) withoutWrongAccounts(v find.Value, entry extension.Entry) {
	names, _ := entry.Spec[accounts].([]any)
	var right []any
	known := map[string]bool{}
	for _, name := range names {
		text, _ := name.(string)
		if known[strings.ToLower(text)] {
			continue
		}
		known[strings.ToLower(text)] = true
		if why := r.wrongAccount(text, entry); why != "" {
			at := entry.Sources[accounts]
			r.Findings.Hand(r.place(v, at.Field, at.Line), "has %s: %s; this account is left out", finding.Quoted(text), why)
			continue
		}
		right = append(right, name)
	}
	if entry.Spec[accounts] = right; len(right) == 0 {
		delete(entry.Spec, accounts)
		delete(entry.Sources, accounts)
	}
}

// wrongAccount says why the CRD's rules refuse the name of an account.
func (t *Tidier) wrongAccount(name string, entry extension.Entry) string {
	why, known := t.accounts[name]
	if known {
		return why
	}
	alone := extension.Entry{Source: entry.Source, Sources: maps.Clone(entry.Sources), Spec: map[string]any{url: "https://vault.vault.azure.net/secrets/name", accounts: []any{name}}}
	if _, problems := t.Reader.Certificate("", alone); len(problems) > 0 {
		why = problems[0].Text
	}
	if t.accounts == nil {
		t.accounts = map[string]string{}
	}
	t.accounts[name] = why
	return why
}

// certificate checks an entry by the CRD's rules, those of the same settings once.
func (t *Tidier) certificate(v find.Value, entry extension.Entry) (v1alpha1.ObservedCertificate, settings.Problems) {
	content, err := json.Marshal(entry.Spec) // with its keys in order
	key := string(content)
	if err != nil {
		return t.Reader.Certificate(v.File, entry)
	}
	if known, valid := t.certificates[key]; valid {
		return known, nil
	}
	certificate, problems := t.Reader.Certificate(v.File, entry)
	if len(problems) == 0 {
		if t.certificates == nil {
			t.certificates = map[string]v1alpha1.ObservedCertificate{}
		}
		t.certificates[key] = certificate
	}
	return certificate, problems
}
