// Command demo shows Vaultpane at work on this machine: a real API server with etcd, a TLS Key Vault endpoint with two
// vaults, and the agent as a process of its own. It needs no cluster and no Azure account, and cleans up after itself.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/test/node"
)

func main() {
	ctrl.SetLogger(logr.Discard()) // first: controller-runtime prints a stack when it has none after 30 s, which builds take
	store := flag.String("store", "default", "default: this system's agent; wine: the Windows agent on Wine's LocalMachine store")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	start := time.Now()
	err := run(ctx, *store)
	stopped := ctx.Err() != nil // before stop, which ends the context too
	stop()
	switch {
	case err != nil && stopped:
		fmt.Println("demo: STOPPED, everything it started is gone")
		os.Exit(130)
	case err != nil:
		fmt.Printf("demo: FAIL %v\n", err)
		os.Exit(1)
	}
	fmt.Printf("demo: PASS in %.0f s\n", time.Since(start).Seconds())
}

func run(ctx context.Context, store string) error {
	kind, err := kindOf(store)
	if err != nil {
		return err
	}
	stage, err := newStage(ctx, kind)
	if err != nil {
		return err
	}
	defer stage.close()
	for _, scene := range []struct {
		title string
		play  func(context.Context) error
	}{
		{"A control plane: kube-apiserver and etcd, as ordinary processes", stage.startControlPlane},
		{"Azure Key Vault: two vaults, \"shop\" and \"ops\", with five certificates; one of them is disabled", stage.startKeyVault},
		{"The cluster: Vaultpane's CustomResourceDefinitions, rights and policies, its controller, and one Windows node with the startup taint", stage.installInCluster},
		{"The agent starts on that node, with a token that is bound to the node and can do only what its agent may do", stage.startAgent},
		{"You apply five ObservedCertificates, and wait", stage.applyCertificates},
		{"What the node's certificate store holds now, and what the cluster says of it", stage.show},
		{"The certificate \"web\" is renewed in the vault, and you ask for a poll", stage.rotate},
		{"The certificate \"gateway\" is deleted from the store by mistake", stage.repair},
		{"The disabled certificate says why it is not there, and the others do not care", stage.explainDisabled},
	} {
		if err := stage.play(ctx, scene.title, scene.play); err != nil {
			return err
		}
	}
	return nil
}

func kindOf(store string) (node.Kind, error) {
	switch store {
	case "default":
		return node.Native, nil
	case "wine":
		return node.Wine, nil
	}
	return "", errors.New("--store is default or wine")
}
