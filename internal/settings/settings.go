// Package settings reads files into ObservedCertificates, for machines without a cluster: manifests as kubectl takes them, and
// the settings of the Key Vault VM extension for Windows as they are. What it accepts is valid by the CRD's own rules. What it
// rejects has a message with file, line, field, value and what to do.
package settings

import (
	"context"
	"slices"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/settings/document"
	"github.com/vaultpane/vaultpane/internal/settings/schema"
)

// File is what a file asks for.
type File struct {
	// Path is the file's path, for messages.
	Path string
	// Certificates are in the order of the file. They have apiVersion, kind, name, labels, annotations and spec, with the CRD's
	// defaults, and nothing that only a cluster sets. A certificate of the extension's settings is named after its secret. A
	// file that asks for none, with an explicit empty list, has none.
	Certificates []v1alpha1.ObservedCertificate
	// Positions tell where each of Certificates is written.
	Positions []Position
	// Notes are what was understood although it should be written otherwise: worth telling once.
	Notes []Problem
}

// Position is where a certificate is written.
type Position struct {
	// Line is the line of an entry of the extension's settings, or of a manifest's name.
	Line int
	// Field is the path of the entry or manifest in the file, empty for a manifest that is a whole document.
	Field string
	// Extension reports that it is from the extension's settings, so that its name is derived and may be changed by Combine.
	Extension bool
}

// Reader reads files. It holds the compiled rules of the CRD, about 8 MB: keep it for a set of files and then drop it.
type Reader struct {
	schema *schema.Validator
}

// NewReader compiles the CRD's rules, which takes about 40 ms. An error is a defect of the program.
func NewReader() (*Reader, error) {
	validator, err := schema.New()
	if err != nil {
		return nil, err
	}
	return &Reader{schema: validator}, nil
}

// Read reads a file's content: JSON, with comments and trailing commas, or YAML, in UTF-8 or UTF-16. path is for messages only.
// The error is a Problems with all problems of the file in the order of its lines; the File has no certificates then.
func (r *Reader) Read(path string, content []byte) (File, error) {
	s := &session{schema: r.schema, path: path}
	s.read(content)
	all, problems := combine(s.placed)
	s.problems = append(s.problems, problems...)
	if len(s.problems) > 0 {
		return File{Path: path}, inOrder(s.problems)
	}
	file := File{Path: path, Notes: inOrder(s.notes)}
	for _, one := range all {
		file.Certificates = append(file.Certificates, one.object)
		file.Positions = append(file.Positions, one.Position)
	}
	return file, nil
}

// session is the reading of one file.
type session struct {
	schema          *schema.Validator
	path            string
	placed          []placed
	problems, notes Problems
}

func (s *session) problem(p document.Problem) {
	s.problems = append(s.problems, of(s.path, p))
}

func (s *session) read(content []byte) {
	if len(content) > MaxSize {
		s.problems = Problems{unreadable(s.path, errTooLarge)}
		return
	}
	if what := foreignBytes(content); what != "" {
		s.problem(document.Problem{Line: 1, Text: what})
		return
	}
	text, problem := document.Decode(content)
	if problem != nil {
		s.problem(*problem)
		return
	}
	if what := foreignText(text); what != "" {
		s.problem(document.Problem{Line: 1, Text: what})
		return
	}
	nodes, problems := document.Parse(text)
	for _, problem := range problems {
		s.problem(problem)
	}
	if len(nodes)+len(problems) == 0 {
		s.problem(document.Problem{Line: 1, Text: "the file is empty, or has only comments; if no certificate is wanted, write observedCertificates: []"})
	}
	for _, node := range nodes {
		s.document(node, "")
	}
}

// mostUnknown is how many unknown fields of an object are looked up and told.
const mostUnknown = 50

// add completes an object with defaults and adds it if the CRD's rules hold.
func (s *session) add(object map[string]any, at origin, position Position) {
	before := len(s.problems)
	s.check(object, at)
	if len(s.problems) > before {
		return
	}
	certificate, err := typed(object)
	if err != nil { // the schema is generated from the type, so this is a defect of ours
		s.problem(document.Problem{Line: position.Line, Field: position.Field, Text: "cannot be read: " + err.Error()})
		return
	}
	s.placed = append(s.placed, placed{object: certificate, file: s.path, Position: position})
}

// check completes an object and collects what the CRD says against it.
func (s *session) check(object map[string]any, at origin) {
	unknown := s.schema.Complete(object)
	for _, path := range unknown[:min(len(unknown), mostUnknown)] {
		s.problem(s.unknown(at, path))
	}
	for _, failure := range s.schema.Validate(context.Background(), object) {
		s.problem(at.violation(failure))
	}
}

// inOrder sorts by line, and drops what is the same, such as the problem of a value that holds for several certificates.
func inOrder(problems Problems) Problems {
	slices.SortStableFunc(problems, func(a, b Problem) int { return a.Line - b.Line })
	seen := map[Problem]bool{}
	return slices.DeleteFunc(problems, func(problem Problem) bool {
		again := seen[problem]
		seen[problem] = true
		return again
	})
}
