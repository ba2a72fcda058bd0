// Command machine is the demo's first act. It shows the agent without a cluster on this machine: a TLS Key Vault endpoint, the
// settings of the Key Vault VM extension as they are, and the agent as a process of its own. It cleans up after itself.
package main

import (
	"context"
	"flag"
	"os"

	"github.com/vaultpane/vaultpane/test/demo/scene"
)

func main() {
	store := flag.String("store", "default", "default: this system's agent; wine: the Windows agent on Wine's LocalMachine store")
	bin := flag.String("bin", "bin", "folder of the agent; the one for Windows is in its folder windows")
	flag.Parse()
	os.Exit(scene.Act("demo, act 1", func(ctx context.Context) error { return run(ctx, *store, *bin) }))
}

func run(ctx context.Context, store, bin string) error {
	machine, dir, err := scene.NewMachine(ctx, store)
	if err != nil {
		return err
	}
	machine.Bin = bin
	stage := &stage{machine: machine, dir: dir}
	defer stage.close()
	return scene.Play(ctx, []scene.Scene{
		{Title: "Azure Key Vault: a vault with the certificate \"web\"", Play: stage.startKeyVault},
		{Title: stage.settingsTitle(), Play: stage.startAgent},
		{Title: "\"web\" is renewed in the vault, and you ask for a poll", Play: stage.rotate},
		{Title: "The certificate is deleted from the store by mistake", Play: stage.repair},
		{Title: "The settings get a mistake", Play: stage.makeMistake},
	}, stage.log())
}
