package rollup

import (
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"k8s.io/apimachinery/pkg/labels"
)

func TestTheInventoryIsWhatIsThere(t *testing.T) {
	x := newIndex(labels.Everything())
	x.nodes["a"] = &node{name: "a", reported: true, agentVersion: "v1.0.0"}
	x.nodes["b"] = &node{name: "b", reported: true, agentVersion: "v1.1.0"}
	x.nodes["c"] = &node{name: "c", reported: true, agentVersion: "v1.1.0"}
	x.nodes["d"] = &node{name: "d"} // its agent has not reported
	x.certificates["web"] = &certificate{wish: wish{name: "web"}}
	x.certificates["old"] = &certificate{wish: wish{name: "old", suspended: true}}
	counted := inventory{&Rollup{Version: "v1.1.0", index: x}}

	const build = `
# HELP vaultpane_controller_build_info Always 1; the version of the controller is a label.
# TYPE vaultpane_controller_build_info gauge
vaultpane_controller_build_info{version="v1.1.0"} 1
`
	if err := testutil.CollectAndCompare(counted, strings.NewReader(build)); err != nil {
		t.Errorf("before all is known: %v", err)
	}
	x.complete = true
	if err := testutil.CollectAndCompare(counted, strings.NewReader(`
# HELP vaultpane_agent_version_nodes Nodes by the version of the agent that reported last.
# TYPE vaultpane_agent_version_nodes gauge
vaultpane_agent_version_nodes{version="v1.0.0"} 1
vaultpane_agent_version_nodes{version="v1.1.0"} 2
# HELP vaultpane_certificate_suspended 1 where the certificate is suspended (spec.suspend), else 0.
# TYPE vaultpane_certificate_suspended gauge
vaultpane_certificate_suspended{certificate="old"} 1
vaultpane_certificate_suspended{certificate="web"} 0
`+build)); err != nil {
		t.Error(err)
	}
}
