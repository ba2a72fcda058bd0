// Command cmd runs the control plane for developers: assets, controllers and kubelet get the binaries, up and down start and stop it
// in the background, serve runs it until Ctrl-C.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/internal/background"
)

const usage = `usage: go run ./test/controlplane/cmd COMMAND [--dir .cache/controlplane] [--crds FOLDER]

  assets        get kube-apiserver, etcd and kubectl if this machine has none; the last line is their folder
  controllers   get kube-controller-manager and kube-scheduler, which make e2e-install and make e2e-node need; likewise
  kubelet       get kubelet, which only make e2e-node needs; likewise
  up            start kube-apiserver and etcd in the background; no-op when they run
  down          stop them
  serve         run them until Ctrl-C
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "controlplane: FAIL %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		fmt.Fprint(os.Stderr, usage)
		return errors.New("name a command")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	dir := flags.String("dir", filepath.Join(".cache", "controlplane"), "folder for the kubeconfig, the log and the data")
	crds := flags.String("crds", "", "folder of CRDs to install")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "assets":
		return get(ctx, controlplane.FindAssets)
	case "controllers":
		return get(ctx, controlplane.FindControllers)
	case "kubelet":
		return get(ctx, controlplane.FindKubelet)
	case "up":
		return up(ctx, *dir, *crds)
	case "down":
		return down(ctx, *dir)
	case "serve":
		return serve(ctx, *dir, *crds)
	}
	fmt.Fprint(os.Stderr, usage)
	return fmt.Errorf("%q is no command", args[0])
}

func say(format string, args ...any) { fmt.Printf("controlplane: "+format+"\n", args...) }

func get(ctx context.Context, find func(context.Context, controlplane.Log) (controlplane.Assets, error)) error {
	found, err := find(ctx, say)
	if err != nil {
		return err
	}
	fmt.Println(found.Dir)
	return nil
}

func kubeconfig(dir string) string { return filepath.Join(dir, "kubeconfig") }

func up(ctx context.Context, dir, crds string) error {
	if _, err := controlplane.FindAssets(ctx, say); err != nil { // here, where its progress is seen
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	already, err := background.Up(ctx, background.Program{
		Dir: dir, ReadyFile: kubeconfig(dir), Args: []string{"serve", "--dir", dir, "--crds", crds},
	})
	if err != nil {
		return err
	}
	state := "up"
	if already {
		state = "already up"
	}
	say("PASS %s; export KUBECONFIG=%s", state, kubeconfig(dir))
	return nil
}

func down(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	was, err := background.Down(ctx, dir)
	if err != nil {
		return err
	}
	if !was {
		say("PASS nothing was running")
		return nil
	}
	say("PASS down")
	return nil
}

// serve runs the control plane until ctx ends. The kubeconfig is written last and removed first: it is there only while
// it works.
func serve(ctx context.Context, dir, crds string) (err error) {
	release, err := background.Hold(dir)
	if err != nil {
		return err
	}
	defer release()
	data := filepath.Join(dir, "data")
	if err := os.RemoveAll(data); err != nil { // of a killed run
		return fmt.Errorf("removing old data: %w", err)
	}
	cluster, err := controlplane.Start(ctx, controlplane.Options{Dir: data, Log: say, Output: os.Stdout})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, cluster.Stop()) }()
	if crds != "" {
		if err := cluster.InstallCRDs(ctx, crds); err != nil {
			return err
		}
	}
	if err := cluster.WriteKubeconfig(kubeconfig(dir)); err != nil {
		return err
	}
	defer func() { _ = os.Remove(kubeconfig(dir)) }() // the next start removes it too
	say("serving")
	return cluster.Wait(ctx)
}
