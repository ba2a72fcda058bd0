package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/vaultpane/vaultpane/test/internal/background"
	"github.com/vaultpane/vaultpane/test/keyvault"
)

// serve runs the vaults until ctx ends. The settings' file is written last and removed first: it exists only while they are
// available.
func serve(ctx context.Context, dir string, vaults []string) (err error) {
	if dir, err = filepath.Abs(dir); err != nil { // the settings name files in it
		return fmt.Errorf("finding the folder: %w", err)
	}
	release, err := background.Hold(dir)
	if err != nil {
		return err
	}
	defer release()
	server, err := keyvault.Start(keyvault.Options{Dir: dir, Vaults: vaults})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("opening the control port: %w", err)
	}
	control := &http.Server{Handler: newControl(server, vaults), ReadHeaderTimeout: 30 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- control.Serve(listener) }()
	defer func() { _ = control.Close() }() // the process ends
	if err := writeEnv(dir, settings(server, vaults, "http://"+listener.Addr().String())); err != nil {
		return err
	}
	defer func() { _ = os.Remove(envFile(dir)) }() // up removes it too
	for _, name := range vaults {
		say("%s is %s", name, server.Vault(name).URL())
	}
	say("serving; settings for the shell: . %s", envFile(dir))
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return fmt.Errorf("serving the control port: %w", err)
	}
}
