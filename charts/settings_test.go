package charts_test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestTheProgramsKnowTheirSettings: a variable that nobody reads would be ignored without a word.
func TestTheProgramsKnowTheirSettings(t *testing.T) {
	variables := regexp.MustCompile(`VAULTPANE_[A-Z_]+`)
	for program, kinds := range map[string][]string{"agent": {"DaemonSet "}, "controller": {"Deployment ", "Job "}} {
		help, err := exec.CommandContext(t.Context(), "go", "run", "../cmd/"+program, "--help").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, help)
		}
		known := map[string]bool{}
		for _, variable := range variables.FindAllString(string(help), -1) {
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
}
