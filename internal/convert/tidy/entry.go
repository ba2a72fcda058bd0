package tidy

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/settings"
	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/extension"
)

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
