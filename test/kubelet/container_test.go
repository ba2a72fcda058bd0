package kubelet

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestThePathsOfMountsAreFoundOnThisMachine(t *testing.T) {
	m := mounts{"/crds": "/tmp/pod/crds"}
	got := m.all([]string{"apply", "--crds=/crds", "/crds/a.yaml", "VAULTPANE_CRDS=/crds", "URL=https://x/crds", "OTHER=/crdsx", "EMPTY="})
	want := []string{"apply", "--crds=/tmp/pod/crds", "/tmp/pod/crds/a.yaml", "VAULTPANE_CRDS=/tmp/pod/crds", "URL=https://x/crds", "OTHER=/crdsx", "EMPTY="}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestTheProgramIsTheLastWordOfTheImage(t *testing.T) {
	k := &Kubelet{options: Options{Bin: "bin"}}
	for _, image := range []string{
		"ghcr.io/vaultpane/vaultpane-agent:0.1.0", "vaultpane-agent", "localhost:5000/vaultpane-agent",
		"ghcr.io/vaultpane/vaultpane-agent@sha256:0000", "ghcr.io/vaultpane/vaultpane-agent:0.1.0@sha256:0000",
	} {
		if got, want := k.program(image), filepath.Join("bin", "vaultpane-agent"); got != want {
			t.Errorf("the program of %s is %s, want %s", image, got, want)
		}
	}
}
