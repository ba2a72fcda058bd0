//go:build linux

package e2enode

import (
	"testing"

	"github.com/vaultpane/vaultpane/test/keyvault"
)

// storePath is the chart's default.
const storePath = "/var/lib/vaultpane/store"

// life is what the stages know of each other.
type life struct {
	*environment
	thumbprint string // of the newest version
	versions   int    // made so far
	witness    *witness
}

// TestLifeOnANode goes through the stages one after another; one that fails ends it. All the while a witness uses the certificate in
// the node's store, which is never missing.
func TestLifeOnANode(t *testing.T) {
	l := &life{environment: newEnvironment(t)}
	web, err := l.shop.Put("web", keyvault.CertificateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	l.thumbprint, l.versions = web.Thumbprint, 1
	for _, stage := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"helm install returns when all pods are ready, and the node has its certificate", l.install},
		{"the agent is confined as the chart says", l.agentConfined},
		{"the controllers are confined as the chart says", l.controllersConfined},
		{"logs, host log and exec work through kubelet", l.logs},
		{"tokens are projected for this pod on this node", l.tokens},
		{"a container that does not respond is not ready and is restarted", l.probes},
		{"an upgrade replaces the pods and runs the hook", l.upgrade},
		{"evicted pods are replaced, one controller at a time", l.evict},
		{"without kubelet pods run on, and with it again they have new tokens", l.kubeletRestarts},
		{"after a power failure the node continues", l.powerFails},
		{"the token is renewed by itself", l.byItself},
		{"uninstalling leaves the certificate on the node", l.uninstall},
	} {
		if !t.Run(stage.name, stage.run) {
			break
		}
	}
	if l.witness != nil {
		l.witness.report(t, l.versions)
	}
}
