package charts_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestTheProgramsKnowTheirSettings: a variable that no program reads would be ignored silently.
func TestTheProgramsKnowTheirSettings(t *testing.T) {
	variables := regexp.MustCompile(`VAULTPANE_[A-Z_]+`)
	lists := map[string][]string{}
	for program, kinds := range map[string][]string{"agent": {"DaemonSet "}, "controller": {"Deployment ", "Job "}} {
		help, err := exec.CommandContext(t.Context(), "go", "run", "../cmd/"+program, "--help").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, help)
		}
		known := map[string]bool{}
		for _, variable := range variables.FindAllString(string(help), -1) {
			if !known[variable] {
				lists[program] = append(lists[program], variable)
			}
			known[variable] = true
		}
		for _, values := range []string{"linux", "private", "workload-identity"} {
			rendered := render(t, "testdata/values/"+values+".yaml")
			for _, key := range rendered.keys() {
				if !strings.HasPrefix(key, kinds[0]) && !strings.HasPrefix(key, kinds[len(kinds)-1]) {
					continue
				}
				for _, variable := range variables.FindAllString(rendered.text(t, []string{key}), -1) {
					if !known[variable] {
						t.Errorf("%s sets %s, which vaultpane-%s does not know", key, variable, program)
					}
				}
			}
		}
	}
	text, err := yaml.Marshal(lists)
	if err != nil {
		t.Fatal(err)
	}
	compareFile(t, filepath.Join(chart, "files", "variables.yaml"), "# The variables that the programs know, written from their --help by make generate.\n"+string(text))
}
