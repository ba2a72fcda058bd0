package versions

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

func TestWhatDoesNotGoTogether(t *testing.T) {
	const agents, crd = "agents have several versions: a roll-out is under way, or has stopped; 'kubectl vaultpane doctor' says more", "observedcertificates.vaultpane.dev"
	for name, test := range map[string]struct {
		client  string
		cluster Cluster
		want    []string
	}{
		"all the same":                  {"v1.2.3", Cluster{Controller: "1.2.3", Agents: []Agents{{"v1.2.3", 5}}, CRDs: []CRD{{crd, Current}}}, nil},
		"a controller without a tag":    {"v1.2.3", Cluster{Agents: []Agents{{"v1.2.3", 5}}}, nil},
		"a build of a developer":        {"dev", Cluster{Controller: "v1.2.3"}, nil},
		"an older command":              {"v1.2.2", Cluster{Controller: "v1.2.3"}, []string{"this command has version v1.2.2, and the controller v1.2.3: install the version that the cluster has"}},
		"a roll-out of the agents":      {"v1.2.3", Cluster{Controller: "v1.2.3", Agents: []Agents{{"v1.2.3", 5}, {"v1.2.2", 1}}}, []string{agents, "the agents of 1 node have version v1.2.2, and the controller v1.2.3"}},
		"a CRD that was not upgraded":   {"v1.2.3", Cluster{Controller: "v1.2.3", CRDs: []CRD{{crd, Older}}}, []string{"the CRD " + crd + " is older: 'kubectl vaultpane doctor' says what it lacks"}},
		"a CRD of a later installation": {"v1.2.3", Cluster{CRDs: []CRD{{crd, Newer}}}, []string{"the CRD " + crd + " is newer than this command"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, Skew(test.client, &test.cluster)); diff != "" {
				t.Errorf("warnings (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTheMostFrequentVersionComesFirst(t *testing.T) {
	got := Count([]string{"v2", "v1", "v1", "v3"})
	if diff := cmp.Diff([]Agents{{"v1", 2}, {"v2", 1}, {"v3", 1}}, got); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
}

func TestTheText(t *testing.T) {
	all := Versions{
		Client:   Client{"v1.2.3", "go1.26", "linux/amd64"},
		Cluster:  &Cluster{Namespace: "vaultpane-system", Kubernetes: "v1.37.2", Controller: "v1.2.3", Agents: []Agents{{"v1.2.3", 2}}, CRDs: []CRD{{"observedcertificates.vaultpane.dev", Current}}, Unread: []string{"pods"}},
		Warnings: []string{"something that does not go together and is long"},
	}
	want := strings.TrimPrefix(`
client      v1.2.3 (linux/amd64, go1.26)
controller  v1.2.3 in namespace vaultpane-system
agents      v1.2.3 on 2 nodes
CRDs        observedcertificates current
Kubernetes  v1.37.2
not read    pods
! warning: something that does not go together and
  is long
`, "\n")
	if got := all.Text(terminal.Style{Width: 50}); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
