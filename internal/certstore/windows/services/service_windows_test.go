package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/vaultpane/vaultpane/internal/winservice"
	"github.com/vaultpane/vaultpane/test/winetest"
)

const (
	first  = "0123456789ABCDEF0123456789ABCDEF01234567"
	second = "89ABCDEF0123456789ABCDEF0123456789ABCDEF"
)

// service is a service that a test installed.
type service struct{ name, journal string }

var installations int

// install installs a service with a behaviour, which does not run yet. The test's end removes it and its record.
func install(t *testing.T, behaviour string) service {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	journal, err := os.CreateTemp("", "services")
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}
	installations++ // Wine deletes a service after its last handle is closed, which may be after the next test has begun
	s := service{fmt.Sprintf("vaultpane-test-%d-%d", os.Getpid(), installations), journal.Name()}
	t.Cleanup(func() { s.remove(t) })
	_, err = winservice.Install(winservice.Config{Name: s.name, Executable: executable, Arguments: []string{marker, s.name, behaviour, s.journal}})
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) && !winetest.OnWine() {
		t.Skip("needs an administrator")
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (s service) remove(t *testing.T) {
	t.Helper()
	if _, err := winservice.Uninstall(context.Background(), s.name, io.Discard); err != nil && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
		t.Error(err)
	}
	for _, path := range []string{certificatesPath(s.name), recordPath(s.name)} {
		if err := registry.DeleteKey(registry.LOCAL_MACHINE, path); err != nil && !errors.Is(err, registry.ErrNotExist) {
			t.Error(err)
		}
	}
	_ = os.Remove(s.journal) // t.TempDir cannot be removed under Wine 8
}

// start starts the service and waits until it has begun its work.
func (s service) start(t *testing.T) service {
	t.Helper()
	if _, err := winservice.Start(t.Context(), s.name, io.Discard); err != nil {
		t.Fatal(err)
	}
	s.wrote(t, "started")
	return s
}

// wrote waits until the journal has these lines.
func (s service) wrote(t *testing.T, lines ...string) {
	t.Helper()
	want, got := strings.Join(lines, " "), ""
	eventually(t, "the service has written "+want, func() bool {
		text, err := os.ReadFile(s.journal)
		if err != nil {
			t.Fatal(err)
		}
		got = strings.Join(strings.Fields(string(text)), " ")
		return got == want
	})
}

// state is what Read returns for the owner web.
func (s service) state(t *testing.T) State {
	t.Helper()
	state, err := Read(s.name, "web")
	if err != nil {
		t.Fatal(err)
	}
	return state
}

// restart restarts the service for web, as Decide would.
func (s service) restart(t *testing.T, thumbprint string) error {
	t.Helper()
	return Restart{Service: s.name, Owner: "web", Thumbprint: thumbprint, Seen: s.state(t).RestartedAt}.Run(t.Context())
}

// intends reports whether there is an intent.
func (s service) intends(t *testing.T) bool {
	t.Helper()
	kept, err := readRecord(s.name, "web")
	if err != nil {
		t.Fatal(err)
	}
	return kept.stopping != nil
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-time.After(interval / 4) {
		if holds() {
			return
		}
	}
	t.Fatalf("it does not come true that %s", what)
}
