package charts_test

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/vaultpane/vaultpane/test/schemas"
)

// result is what kubeconform says of one object.
type result struct{ Filename, Kind, Name, Version, Status, Msg string }

// kubeconform validates all files of a folder with the schemas of a version and with those of the CRDs.
func kubeconform(t *testing.T, version, documents string) []result {
	t.Helper()
	set, err := schemas.Read(filepath.Join("testdata", "schemas", version+".json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, crds := range []string{"../config/crd", "testdata/crds"} {
		if err := set.AddCRDs(crds); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	if err := set.WriteFolder(dir); err != nil {
		t.Fatal(err)
	}
	program, err := kubeconformProgram()
	if err != nil {
		t.Fatalf("building kubeconform: %v", err)
	}
	// its exit status says that something is invalid, which the caller sees better
	output, runError := exec.CommandContext(t.Context(), program, "-strict", "-verbose", "-output=json", "-schema-location="+schemas.Location(dir), documents).Output()
	var found struct{ Resources []result }
	if err := json.Unmarshal(output, &found); err != nil {
		t.Fatalf("%v, %v: %s", runError, err, output)
	}
	return found.Resources
}

// kubeconformProgram is the pinned kubeconform; the first call on a machine builds it.
var kubeconformProgram = sync.OnceValues(func() (string, error) {
	output, err := exec.Command("go", "tool", "-modfile=../hack/tools/kubeconform/go.mod", "-n", "kubeconform").Output()
	return strings.TrimSpace(string(output)), err
})
