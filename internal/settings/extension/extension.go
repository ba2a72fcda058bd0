// Package extension reads the settings of the Key Vault VM extension for Windows, in every form that was documented or is found
// in public repositories, into specs of ObservedCertificates:
//
//	2017  {pollingIntervalInS: 3600, certificateStoreName: MY, certificateStoreLocation: LOCAL_MACHINE, observedCertificates: [URL, ...]}
//	1.x   the same with LocalMachine, linkOnRenewal, requireInitialSync, and strings for numbers and booleans
//	3.x   observedCertificates: [{url, certificateStoreName, certificateStoreLocation, keyExportable, accounts}, ...]
//	4.x   the same without keyExportable, linkOnRenewal and requireInitialSync
//
// The chart reads the same forms with the same meaning (charts/vaultpane/templates/_settings.tpl).
// Source: Microsoft's page "Key Vault VM extension for Windows" of these years.
package extension

import (
	"fmt"

	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// Entry is one certificate of the settings.
type Entry struct {
	// Source is where the entry is written.
	Source
	// Spec has the fields of an ObservedCertificate's spec that the settings give, not validated.
	Spec map[string]any
	// Sources are the places of the spec's fields, under accounts, authentication.msiClientId and so on. A value beside the
	// list of certificates has its place there.
	Sources map[string]Source
	// Incomplete reports that a value of the entry, or one beside the list, is a problem and left out.
	Incomplete bool
}

// Source is a place in the settings.
type Source struct {
	// Field is the path of the value in the file, in the spelling of the file.
	Field string
	// Line is its line.
	Line int
	// Node is the value.
	Node *document.Node
}

// Known reports whether a document has a key that belongs to the extension's settings, or to what tools put around them.
func Known(root *document.Node) bool {
	for _, names := range [][]string{{secrets, authentication, "runtimeSettings", observed, "authenticationLocationSettings"}, wrappers, shared, linux} {
		for _, name := range names {
			if root.Fold(name).Node != nil {
				return true
			}
		}
	}
	return false
}

// Read returns the certificates of settings, in their order. An empty list of certificates is none. notes say what was put
// right and should be corrected in the file. With problems, the entries are those that could be read.
func Read(root *document.Node) (entries []Entry, problems, notes []document.Problem) {
	r := &reader{}
	found := r.unwrap(root)
	if found == nil {
		return nil, r.problems, r.notes
	}
	r.known(found.settings, found.field, "a setting of the Key Vault VM extension for Windows", append([]string{observed, secrets, authentication, "authenticationLocationSettings"}, shared...))
	identity := r.identity(found.identities)
	before := len(r.problems)
	common := r.values(found.settings, found.field, shared)
	incomplete := len(r.problems) > before
	for _, item := range r.items(found) {
		before = len(r.problems)
		if entry, ok := r.entry(item, common, identity); ok {
			entry.Incomplete = incomplete || len(r.problems) > before
			entries = append(entries, entry)
		}
	}
	return entries, r.problems, r.notes
}

// reader collects what is wrong.
type reader struct {
	problems, notes []document.Problem
}

func (r *reader) problem(at Source, value, format string, arguments ...any) {
	text := fmt.Sprintf(format, arguments...)
	if at.Field == "" {
		text = "the document " + text
	}
	r.problems = append(r.problems, document.Problem{Line: at.Line, Field: at.Field, Value: value, Text: text})
}

func (r *reader) note(at Source, format string, arguments ...any) {
	r.notes = append(r.notes, document.Problem{Line: at.Line, Field: at.Field, Text: fmt.Sprintf(format, arguments...)})
}

// member returns the value of a key with its place; its Node is nil if there is none.
func member(node *document.Node, field, key string) Source {
	found := node.Fold(key)
	if found.Node == nil {
		return Source{Field: join(field, key), Line: line(node)}
	}
	return Source{Field: join(field, found.Key), Line: found.Line, Node: found.Node}
}

// items returns the places of a list's values.
func items(list Source) []Source {
	places := make([]Source, len(list.Node.Items))
	for i, item := range list.Node.Items {
		places[i] = Source{Field: fmt.Sprintf("%s[%d]", list.Field, i), Line: item.Line, Node: item}
	}
	return places
}

func line(node *document.Node) int {
	if node == nil {
		return 1
	}
	return node.Line
}

func join(field, key string) string {
	if field == "" {
		return key
	}
	return field + "." + key
}
