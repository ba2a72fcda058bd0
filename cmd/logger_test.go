// Package cmd_test looks at all programs of this repository.
package cmd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestEveryProgramSetsItsLogger: controller-runtime prints the stack of the first caller that logs after 30 s without a logger.
func TestEveryProgramSetsItsLogger(t *testing.T) {
	output, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{if eq .Name "main"}}{{.Dir}} {{join .Deps ","}}{{end}}`, "../...").Output()
	if err != nil {
		t.Fatal(err)
	}
	set, programs := regexp.MustCompile(`ctrl\.SetLogger\(`), 0
	for line := range strings.Lines(string(output)) {
		dir, dependencies, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !strings.Contains(dependencies, "sigs.k8s.io/controller-runtime/pkg/log,") {
			continue
		}
		programs++
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		if !slices.ContainsFunc(files, func(file string) bool {
			text, err := os.ReadFile(file)
			return err == nil && set.Match(text)
		}) {
			t.Errorf("%s sets no logger", dir)
		}
	}
	if programs < 4 {
		t.Errorf("%d programs use controller-runtime, want the agent, the controller, the demo and the bench", programs)
	}
}
