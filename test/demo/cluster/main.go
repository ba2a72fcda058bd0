// Command cluster is the demo's second act. It shows Vaultpane at work in a cluster on this machine: a real API server with etcd, a TLS Key Vault endpoint with two
// vaults, and the agent as a process of its own. It needs no cluster and no Azure account, and cleans up after itself.
package main

import (
	"context"
	"flag"
	"os"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/test/demo/scene"
)

func main() {
	ctrl.SetLogger(logr.Discard()) // first: controller-runtime prints a stack when it has none after 30 s
	store := flag.String("store", "default", "default: this system's agent; wine: the Windows agent on Wine's LocalMachine store")
	flag.Parse()
	os.Exit(scene.Act("demo, act 2", func(ctx context.Context) error { return run(ctx, *store) }))
}

func run(ctx context.Context, store string) error {
	machine, dir, err := scene.NewMachine(ctx, store)
	if err != nil {
		return err
	}
	stage := &stage{machine: machine, dir: dir}
	defer stage.close()
	return scene.Play(ctx, []scene.Scene{
		{Title: "A control plane: kube-apiserver and etcd, as ordinary processes", Play: stage.startControlPlane},
		{Title: "Azure Key Vault: two vaults, \"shop\" and \"ops\", with five certificates; one of them is disabled", Play: stage.startKeyVault},
		{Title: "The cluster: Vaultpane's CustomResourceDefinitions, rights and policies, its controller, and one Windows node with the startup taint", Play: stage.installInCluster},
		{Title: "The agent starts on that node, with a token that is bound to the node and can do only what its agent may do", Play: stage.startAgent},
		{Title: "You apply five ObservedCertificates, and wait", Play: stage.applyCertificates},
		{Title: "What the node's certificate store holds now, and what the cluster says of it", Play: stage.show},
		{Title: "The certificate \"web\" is renewed in the vault; the controller's version watch sees it, and the node fetches it", Play: stage.rotate},
		{Title: "The renewal was a mistake: its version is disabled in the vault, and the node goes back", Play: stage.rollBack},
		{Title: "The certificate \"gateway\" is deleted from the store by mistake", Play: stage.repair},
		{Title: "The disabled certificate says why it is not there, and the others do not care", Play: stage.explainDisabled},
	}, stage.log())
}
