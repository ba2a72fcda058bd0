package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

var update = flag.Bool("update", false, "write the golden files")

func TestHelp(t *testing.T) {
	names := []string{""}
	for _, command := range newRoot(terminal.Streams{}).Commands() {
		if command.GroupID != "" { // not cobra's own
			names = append(names, command.Name())
		}
	}
	if len(names) < 12 {
		t.Fatalf("only %d commands were found", len(names))
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			text, code := execute(t.Context(), &output{}, strings.Fields(name+" --help")...)
			if code != 0 {
				t.Fatalf("exit code %d:\n%s", code, text)
			}
			file := filepath.Join("testdata", "help"+strings.TrimSuffix("-"+name, "-")+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), text); diff != "" {
				t.Errorf("help (-want +got), go test -update writes it:\n%s", diff)
			}
			for i, line := range strings.Split(text, "\n") {
				if len(line) > 130 {
					t.Errorf("line %d has %d columns", i+1, len(line))
				}
			}
		})
	}
}
