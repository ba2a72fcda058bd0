package tidy

import (
	"fmt"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/settings"
	"github.com/vaultpane/vaultpane/internal/settings/document"
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
