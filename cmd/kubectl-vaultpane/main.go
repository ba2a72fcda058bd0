// Command kubectl-vaultpane is the kubectl plugin: it moves settings of the Key Vault VM extension into a cluster, shows what the
// agents do, and steers them.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// version is stamped by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	streams := terminal.Standard()
	code := cli.ExitCode("kubectl vaultpane", run(ctx, newRoot(streams), os.Args[1:]), streams.Err)
	stop()
	os.Exit(code)
}

// usageError is the error of a command that was called wrongly.
func usageError(format string, arguments ...any) error {
	return &cli.Failure{Code: 2, Err: fmt.Errorf(format, arguments...)}
}
