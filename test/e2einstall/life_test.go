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
	w := newWorld(t, *chartFlag)
	web, err := w.shop.Put("web", keyvault.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	life := &life{world: w, previous: w.previousChart(t), file: w.values(t), thumbprint: web.Thumbprint}
	for _, stage := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"helm install returns when all pods are ready", life.install},
		{"agents are on Windows nodes and controllers on Linux nodes", life.placed},
		{"who may view the cluster sees certificates and writes none", life.views},
		{"the node has its certificate and works, a node without an agent waits", life.mainJob},
		{"the state of a node goes with the node", life.nodeGoes},
		{"an upgrade keeps the objects and brings the new CRD", life.upgrade},
		{"a value of the controller restarts the controllers", life.controllerValue},
		{"a value of the agent restarts the agents", life.agentValue},
		{"uninstalling frees the nodes and keeps what people made", life.uninstall},
		{"it can be installed again, with all options", life.reinstall},
	} {
		if !t.Run(stage.name, stage.run) {
			t.FailNow()
		}
	}
}

// life is what the stages know of each other.
type life struct {
	*world
	previous, file string
	thumbprint     string
}
