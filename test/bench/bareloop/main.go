// Command bareloop is what the agent is measured against: it gets the secrets of a list and installs each, with a number of
// workers, and nothing else. It takes the agent's environment variables, and prints the milliseconds to the first
// installation and to the last.
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "bareloop:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	workers, err := strconv.Atoi(os.Getenv("BARELOOP_WORKERS"))
	if err != nil {
		return fmt.Errorf("reading BARELOOP_WORKERS: %w", err)
	}
	list, err := os.ReadFile(os.Getenv("BARELOOP_URLS"))
	if err != nil {
		return fmt.Errorf("reading the list of URLs: %w", err)
	}
	authority, err := os.ReadFile(os.Getenv("VAULTPANE_CA_BUNDLE"))
	if err != nil {
		return fmt.Errorf("reading the CA bundle: %w", err)
	}
	vaults, err := keyvault.New(keyvault.Options{
		AllowedHosts: []string{os.Getenv("VAULTPANE_ALLOWED_VAULT_HOSTS")}, CABundle: authority, DisableChallengeResourceVerification: true,
	})
	if err != nil {
		return err
	}
	store, err := openStore(os.Getenv("VAULTPANE_STORE_PATH"))
	if err != nil {
		return err
	}
	start, first := time.Now(), sync.OnceValue(time.Now)
	transferOne := func(ctx context.Context, url string) error {
		err := transfer(ctx, vaults, store, url)
		first()
		return err
	}
	if err := loop(ctx, transferOne, strings.Fields(string(list)), workers); err != nil {
		return err
	}
	fmt.Println(first().Sub(start).Milliseconds(), time.Since(start).Milliseconds())
	return nil
}

// loop returns the first error, and ends then.
func loop(ctx context.Context, transfer func(ctx context.Context, url string) error, urls []string, workers int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan string, len(urls))
	for _, url := range urls {
		work <- url
	}
	close(work)
	var group sync.WaitGroup
	for range workers {
		group.Go(func() {
			for url := range work {
				if err := transfer(ctx, url); err != nil {
					cancel(err)
					return
				}
			}
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

func transfer(ctx context.Context, vaults *keyvault.Clients, store certstore.Store, url string) error {
	secret, err := keyvault.ParseURL(url)
	if err != nil {
		return err
	}
	got, err := vaults.Get(ctx, secret, "", time.Time{})
	if err != nil {
		return err
	}
	parsed, err := bundle.Parse(got.ContentType, got.Value, time.Now())
	if err != nil {
		return err
	}
	defer parsed.Wipe()
	_, err = store.Install(certstore.Ref{Location: certstore.LocalMachine, Name: certstore.StoreMY}, certstore.Item{
		Certificate: parsed.Leaf, Key: parsed.Key, FriendlyName: "bare loop",
		Mark: certstore.Mark{Name: secret.Name, UID: "bareloop", Version: got.Version, DeletionPolicy: "Retain", Role: certstore.RoleLeaf, Provider: os.Getenv("BARELOOP_PROVIDER")},
	})
	return err
}
