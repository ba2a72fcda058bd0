package convert

import (
	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/convert/tidy"
	"github.com/vaultpane/vaultpane/internal/settings"
	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// Input is a file.
type Input struct {
	// Name is its name, for messages and to match templates with their files of parameters.
	Name string
	// Content is its content.
	Content []byte
}

// Options change what is made of the input.
type Options struct {
	// Latest removes versions from URLs, so that renewals are followed.
	Latest bool
	// Prefix is put in front of the names.
	Prefix string
	// NodeSelector is that of all certificates; nil derives it where the input knows the node pool.
	NodeSelector *v1alpha1.NodeSelector
}

// Certificate is one ObservedCertificate with where it was.
type Certificate struct {
	v1alpha1.ObservedCertificate
	// Machines had it, in order of their names. Empty if the input does not name them.
	Machines []find.Machine
}

// Result is what became of the input.
type Result struct {
	// Certificates are in order of their names, whatever the order of the inputs.
	Certificates []Certificate
	// Findings are what has to be said.
	Findings *finding.List
	// Machines are all machines of the input with their certificates by name, in order.
	Machines []MachineCertificates
	// Unclear reports that something needs a hand of which the input does not say the machine.
	Unclear bool
}

// MachineCertificates are the certificates of one machine.
type MachineCertificates struct {
	find.Machine
	// Names are those of the certificates.
	Names []string
	// Unclear reports that something of the machine needs a hand, so that it may have more.
	Unclear bool
}

// Exit codes of a conversion.
const (
	// ExitHand says that a finding needs a person.
	ExitHand = 1
	// ExitUnreadable says that an input cannot be read, or that nothing in it is known.
	ExitUnreadable = 2
)

// ExitCode is 0 if all is converted, also with notes.
func (r Result) ExitCode() int {
	code := 0
	for _, f := range r.Findings.All {
		switch f.Level {
		case finding.Unreadable:
			return ExitUnreadable
		case finding.Hand:
			code = ExitHand
		case finding.Note:
		}
	}
	return code
}

// mostValues bounds an input: a listing of ten thousand machines has some millions.
const mostValues = 5_000_000

// Converter reads inputs. It holds the compiled rules of the CRD.
type Converter struct {
	reader *settings.Reader
}

// New returns a Converter. An error is a defect of the program.
func New() (*Converter, error) {
	reader, err := settings.NewReader()
	if err != nil {
		return nil, err
	}
	return &Converter{reader}, nil
}

// Convert reads the inputs, whose order does not matter.
func (c *Converter) Convert(inputs []Input, options Options) Result {
	findings := &finding.List{}
	parser := document.Parser{MaxValues: mostValues, Repeated: true}
	found := look(inputs, findings, parser)
	tidier := &tidy.Tidier{Findings: findings, Reader: c.reader, Parser: parser, Clients: found.Clients, Latest: options.Latest}
	var entries []tidy.Entry
	for _, site := range found.Sites {
		if site.Skipped {
			findings.Note(site.Place, "is not deployed with these values, because its condition is false; nothing of it is converted%s", on(site.Machine))
			continue
		}
		hands := findings.Count(finding.Hand)
		made := tidier.Site(site)
		if findings.Count(finding.Hand) > hands {
			found.Unclear[site.Machine.Key] = site.Machine
		}
		if site.Doubt != "" && len(made) > 0 {
			findings.Hand(site.Place, "is converted, but its condition is not known: %s%s", site.Doubt, on(site.Machine))
		}
		entries = append(entries, made...)
	}
	return gather(entries, found, options, findings)
}

func on(machine find.Machine) string {
	if machine.Name == "" {
		return ""
	}
	return " (" + machine.Name + ")"
}
