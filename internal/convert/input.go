package convert

import (
	"bytes"
	"path"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/convert/arm"
	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// read is an input that could be read, by what it is.
type read struct {
	templates  []arm.Template
	parameters []arm.Template // files of parameters
	others     []arm.Template
}

// look reads the inputs and finds all sites.
func look(inputs []Input, findings *finding.List, parser document.Parser) find.Result {
	inputs = slices.SortedFunc(slices.Values(inputs), func(a, b Input) int {
		if order := strings.Compare(a.Name, b.Name); order != 0 {
			return order
		}
		return bytes.Compare(a.Content, b.Content)
	})
	var files read
	for _, input := range inputs {
		files.add(input, findings, parser)
	}
	finder := find.New(findings, parser)
	unused := files.expand(finder, findings)
	known := map[string]bool{}
	for _, file := range append(files.others, unused...) {
		finder.Known = false
		finder.Document(file.File, file.Root)
		if !finder.Known && arm.IsParameters(file.Root) {
			finder.Known = true
			findings.Hand(finding.Place{File: file.File}, "is a file of parameters; give its template too")
		}
		known[file.File] = known[file.File] || finder.Known
	}
	for _, file := range files.others {
		if !known[file.File] {
			findings.Add(finding.Finding{Level: finding.Unreadable, Place: finding.Place{File: file.File}, Text: "has no settings of the extension, and is not of a kind that could; " + advice})
		}
	}
	return finder.Result
}

// advice is what to give instead.
const advice = "give what is in force: 'az vmss show' or 'az vm extension list' with -o json, 'terraform show -json', a template that 'az bicep build' made, or the node's RuntimeSettings\\*.settings"

func (r *read) add(input Input, findings *finding.List, parser document.Parser) {
	unreadable := func(line int, text string) {
		findings.Add(finding.Finding{Level: finding.Unreadable, Place: finding.Place{File: input.Name, Line: line}, Text: text})
	}
	if what := foreignBytes(input.Content); what != "" {
		unreadable(0, what)
		return
	}
	text, problem := document.Decode(input.Content)
	if problem != nil {
		unreadable(problem.Line, problem.Text)
		return
	}
	if what := foreignText(input.Name, text); what != "" {
		unreadable(0, what)
		return
	}
	nodes, problems := parser.Parse(text)
	if len(problems) > 0 {
		if several := sequence(text, parser); several != nil {
			nodes, problems = several, nil
		}
	}
	for _, problem := range problems {
		unreadable(problem.Line, problem.Text)
	}
	if len(nodes)+len(problems) == 0 {
		unreadable(0, "is empty; "+advice)
	}
	for _, node := range nodes {
		for _, part := range built(node, parser) {
			r.document(arm.Template{File: input.Name, Root: part})
		}
	}
}

// expand evaluates the templates that no other links, each with its files of parameters, and returns the files of parameters that
// no template needs.
func (r *read) expand(finder *find.Finder, findings *finding.List) (unused []arm.Template) {
	linked := map[string]bool{}
	results := make([][]arm.Result, len(r.templates))
	taken := map[string]bool{}
	for i, template := range r.templates {
		for _, given := range r.given(template, taken) {
			result := arm.Expand(template, given, r.linked)
			results[i] = append(results[i], result)
			for _, file := range result.Used {
				linked[file] = linked[file] || file != template.File
			}
		}
	}
	for i, template := range r.templates {
		if !linked[template.File] || len(linked) == len(r.templates) {
			show(template, results[i], finder, findings)
		}
	}
	for _, parameters := range r.parameters {
		if !taken[parameters.File] {
			unused = append(unused, parameters)
		}
	}
	return unused
}

// show looks through what a template deploys, and names the templates that it links and that were not given.
func show(template arm.Template, results []arm.Result, finder *find.Finder, findings *finding.List) {
	level := finding.Hand
	for _, result := range results {
		finder.Template(finding.Place{File: template.File}, result)
	}
	if len(finder.Sites) > 0 {
		level = finding.Note
	}
	for _, result := range results {
		for _, name := range result.Missing {
			text := "links another template, " + name + ", which was not given; if it has the extension, give it too"
			findings.Add(finding.Finding{Level: level, Place: finding.Place{File: template.File}, Text: text})
		}
	}
}

// linked returns a template by the name of its file.
func (r *read) linked(name string) *arm.Template {
	for i := range r.templates {
		if strings.EqualFold(path.Base(strings.ReplaceAll(r.templates[i].File, "\\", "/")), name) {
			return &r.templates[i]
		}
	}
	return nil
}
