package windows

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
)

// watcher is a running watch.
type watcher struct {
	calls chan struct{}
	done  chan error
	end   context.CancelFunc
}

func startWatch(t *testing.T, ref certstore.Ref) *watcher {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	w := &watcher{calls: make(chan struct{}, 1000), done: make(chan error, 1), end: cancel}
	go func() { w.done <- watch(ctx, ref, func() { w.calls <- struct{}{} }) }()
	return w
}

// expect waits for a call, and then until no more calls follow.
func (w *watcher) expect(t *testing.T, what string) {
	t.Helper()
	wait := 10 * time.Second
	for called := false; ; called = true {
		select {
		case <-w.calls:
			wait = time.Second / 2
		case err := <-w.done:
			t.Fatalf("%s: the watch has ended: %v", what, err)
		case <-time.After(wait):
			if !called {
				t.Errorf("%s: no call", what)
			}
			return
		}
	}
}

func TestWatch(t *testing.T) {
	for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		t.Run(string(location), func(t *testing.T) {
			ref := certstore.Ref{Location: location, Name: "VaultpaneTestWatch"}
			item, second := storetest.RSAItem(t, "web"), storetest.RSAItem(t, "web")
			thumbprint := certstore.Thumbprint(item.Certificate)
			install := func(item certstore.Item) error {
				_, err := New().Install(ref, item)
				return err
			}
			if err := install(item); err != nil { // which creates the store
				t.Fatal(err)
			}
			w := startWatch(t, ref)
			w.expect(t, "start")
			item.Mark.Version = "fedcba9876543210fedcba9876543210"
			for _, change := range []struct {
				what string
				act  func() error
			}{
				{"a certificate is installed", func() error { return install(second) }},
				{"a mark changes", func() error {
					_, err := New().Update(ref, thumbprint, certstore.Change{Mark: &item.Mark})
					return err
				}},
				{"a certificate is removed", func() error { return New().Remove(ref, certstore.Thumbprint(second.Certificate)) }},
				{"another process removes one", func() error { return removeInAnotherProcess(ref, thumbprint) }},
			} {
				if err := change.act(); err != nil {
					t.Fatal(err)
				}
				w.expect(t, change.what)
			}
			w.end()
			select {
			case err := <-w.done:
				if err != nil {
					t.Error(err)
				}
			case <-time.After(10 * time.Second):
				t.Error("the watch did not end")
			}
		})
	}
}

func TestWatchOfAStoreThatDoesNotExist(t *testing.T) {
	for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		err := watch(t.Context(), certstore.Ref{Location: location, Name: "VaultpaneTestNowhere"}, func() { t.Error("it has changed") })
		if !errors.Is(err, windows.ERROR_FILE_NOT_FOUND) {
			t.Errorf("got %v", err)
		}
	}
}

func TestWatchWithACancelledContext(t *testing.T) {
	installed(t, storetest.RSAItem(t, "web"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := watch(ctx, testStore, func() {}); err != nil {
		t.Error(err)
	}
}

func removeInAnotherProcess(ref certstore.Ref, thumbprint string) error {
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "VAULTPANE_TEST_REMOVE="+thumbprint, "VAULTPANE_TEST_LOCATION="+string(ref.Location), "VAULTPANE_TEST_STORE="+ref.Name)
	if out, err := command.CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	return nil
}

// removeAsked runs in the other process.
func removeAsked(thumbprint string) {
	ref := certstore.Ref{Location: certstore.Location(os.Getenv("VAULTPANE_TEST_LOCATION")), Name: os.Getenv("VAULTPANE_TEST_STORE")}
	if err := New().Remove(ref, thumbprint); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	os.Exit(0)
}
