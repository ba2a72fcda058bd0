package charts_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestTheChartAcceptsTheVariablesOfAzure: the chart rejects a variable in agent.extraEnv that nothing reads, so its list must
// contain exactly the variables that the agent and the Azure SDK read.
func TestTheChartAcceptsTheVariablesOfAzure(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(chart, "templates", "_pods.tpl"))
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, name := range regexp.MustCompile(`"AZURE_[A-Z_]+"`).FindAllString(string(text), -1) {
		known = append(known, strings.Trim(name, `"`))
	}
	read := map[string]string{}
	const sdk = "github.com/Azure/azure-sdk-for-go/sdk/"
	output, err := exec.CommandContext(t.Context(), "go", "list", "-f", "{{if .GoFiles}}{{.Dir}}{{end}}", "../internal/keyvault/...", "../cmd/agent", sdk+"azidentity", sdk+"azidentity/internal/customtokenproxy", sdk+"internal/log").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range strings.Fields(string(output)) {
		azureVariables(t, dir, read)
	}
	for name, file := range read {
		if !slices.Contains(known, name) {
			t.Errorf("%s reads %s, which the chart rejects", file, name)
		}
	}
	for _, name := range known {
		if read[name] == "" {
			t.Errorf("nothing reads %s, which the chart accepts", name)
		}
	}
}

// azureVariables adds the names of Azure's variables in the string literals of a folder's Go files, each with its file.
func azureVariables(t *testing.T, dir string, read map[string]string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no Go files in %s, error %v", dir, err)
	}
	variable := regexp.MustCompile(`^AZURE_[A-Z_]+$`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(node ast.Node) bool {
			if literal, ok := node.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if name, err := strconv.Unquote(literal.Value); err == nil && variable.MatchString(name) {
					read[name] = file
				}
			}
			return true
		})
	}
}
