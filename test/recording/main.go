// Command recording runs kubectl vaultpane in a real cluster on this machine and writes what it prints into docs/kubectl.md, as text,
// and into docs/kubectl-session.svg, as a picture. What differs from run to run (thumbprints, versions, times, ports) is replaced by
// fixed values, so the files change only when the output does.
//
//	recording [-bin FOLDER]    FOLDER has vaultpane-agent, vaultpane-controller and kubectl-vaultpane
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"
)

func main() {
	ctrl.SetLogger(logr.Discard()) // first: controller-runtime prints a stack when it has none after 30 s
	bin := flag.String("bin", "bin", "the folder of the programs")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *bin)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "recording: FAIL", err)
		os.Exit(1)
	}
	fmt.Println("recording: PASS docs/kubectl.md and docs/kubectl-session.svg are current")
}

func run(ctx context.Context, bin string) error {
	stage, err := newStage(ctx, bin)
	defer stage.close()
	if err != nil {
		return err
	}
	session, err := record(ctx, stage)
	if err != nil {
		return err
	}
	if err := writePage("docs/kubectl.md", session); err != nil {
		return err
	}
	return os.WriteFile("docs/kubectl-session.svg", []byte(picture(session)), 0o644)
}
