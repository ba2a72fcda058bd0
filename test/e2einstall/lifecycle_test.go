package e2einstall

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/vaultpane/vaultpane/test/keyvault"
)

var chartFlag = flag.String("chart", filepath.Join("..", "..", "charts", "vaultpane"), "folder of the chart to install")

// TestLifeOfAnInstallation goes through the stages one after another, as an installation does; one that fails ends it.
func TestLifeOfAnInstallation(t *testing.T) {
	w := newEnvironment(t, *chartFlag)
	web, err := w.shop.Put("web", keyvault.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	lifecycle := &lifecycle{environment: w, previous: w.previousChart(t), file: w.values(t), thumbprint: web.Thumbprint}
	for _, stage := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"helm install returns when all pods are ready", lifecycle.install},
		{"agents are on Windows nodes and controllers on Linux nodes", lifecycle.placed},
		{"users who may view the cluster see certificates and cannot write them", lifecycle.views},
		{"the node has its certificate and is released, a node without an agent waits", lifecycle.mainJob},
		{"the state of a node is deleted with the node", lifecycle.nodeGoes},
		{"an upgrade keeps the objects and updates the CRD", lifecycle.upgrade},
		{"a value of the controller restarts the controllers", lifecycle.controllerValue},
		{"a value of the agent restarts the agents", lifecycle.agentValue},
		{"uninstalling removes the startup taint and keeps users' objects", lifecycle.uninstall},
		{"it can be installed again, with all options", lifecycle.reinstall},
	} {
		if !t.Run(stage.name, stage.run) {
			t.FailNow()
		}
	}
}

// lifecycle is what the stages know of each other.
type lifecycle struct {
	*environment
	previous, file string
	thumbprint     string
}
