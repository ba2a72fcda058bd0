// Command cmd runs the Key Vault endpoint for developers: up and down start and stop it in the background, serve runs it
// until Ctrl-C, and the other commands change what is in its vaults and how they behave.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/vaultpane/vaultpane/test/internal/background"
)

const usage = `usage: go run ./test/keyvault/cmd COMMAND [--dir .cache/keyvault] [flags]

  up       start the vaults in the background; no-op when they run     --vaults shop,ops
  down     stop them
  serve    run them until Ctrl-C                                       --vaults shop,ops

While they run; each with --vault, and with --name where a secret is meant:
  put      make a certificate    --type pfx|pem --keytype RSA2048|…|P521 --count 1 --dns a,b --chain --rootfirst --legacy
           (--count 2 and more: NAME-0000 and so on)                   --notbefore, --notafter 2026-01-02T15:04:05Z
           or any secret         --value TEXT --contenttype TEXT
  rotate   make a new version with a new key
  disable, enable                --version ID, or the latest
  delete, recover                softly
  throttle answer 429            --count N (-1 until heal), --retryafter 10s to say so in a header
  stop, start                    close the vault's port, open it again
  heal     end throttling
  stats    print the counters; of all vaults without --vault
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "keyvault: FAIL %v\n", err)
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
	dir := flags.String("dir", filepath.Join(".cache", "keyvault"), "folder for the settings, the CA and the log")
	if action, ok := actions[args[0]]; ok {
		query := action.flags(flags)
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return call(ctx, *dir, args[0], query())
	}
	vaults := flags.String("vaults", "shop,ops", "the vaults' names")
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	switch args[0] {
	case "up":
		return up(ctx, *dir, *vaults)
	case "down":
		return down(ctx, *dir)
	case "serve":
		return serve(ctx, *dir, strings.Split(*vaults, ","))
	}
	fmt.Fprint(os.Stderr, usage)
	return fmt.Errorf("%q is not a command", args[0])
}

func say(format string, args ...any) { fmt.Printf("keyvault: "+format+"\n", args...) }

func up(ctx context.Context, dir, vaults string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	already, err := background.Up(ctx, background.Program{
		Dir: dir, ReadyFile: envFile(dir), Args: []string{"serve", "--dir", dir, "--vaults", vaults},
	})
	if err != nil {
		return err
	}
	state := "up"
	if already {
		state = "already up"
	}
	say("PASS %s; settings for the shell: . %s", state, envFile(dir))
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
