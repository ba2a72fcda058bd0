package find

import (
	"github.com/vaultpane/vaultpane/internal/convert/arm"
	"github.com/vaultpane/vaultpane/internal/settings/document"
)

// deployed evaluates a template beside the values of its parameters, as in the body of a request or in a policy.
func (f *Finder) deployed(n *document.Node, a around) bool {
	template := lookup(n, "template")
	if !arm.IsTemplate(template.Node) {
		return false
	}
	given := arm.Given(n)
	for name, value := range given {
		given[name] = arm.Evaluate(value)
	}
	at := a.At(template.Key, template.Line)
	f.Template(at, arm.Expand(arm.Template{File: a.File, Root: template.Node}, given, nil))
	return true
}

// deployment evaluates a template that Terraform deploys, with its parameters; both are JSON in strings.
func (f *Finder) deployment(values *document.Node, content document.Member, a around) {
	template, problems := f.Parser.Embedded(content.Node)
	if len(problems) > 0 || !arm.IsTemplate(template) {
		return
	}
	var given arm.Values
	if parameters := lookup(values, "parameters_content", "parameters_body"); !parameters.Absent() {
		if read, problems := f.Parser.Embedded(parameters.Node); len(problems) == 0 {
			given = arm.Given(&document.Node{Kind: document.Map, Members: []document.Member{{Key: "parameters", Node: read}}})
		}
	}
	f.Template(a.Place, arm.Expand(arm.Template{File: a.File, Root: template}, given, nil))
}
