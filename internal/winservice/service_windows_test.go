package winservice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/test/winetest"
)

// hasDelayedStart is false for Wine 8 (ERROR_INVALID_LEVEL).
func hasDelayedStart() bool { return !winetest.OnWine() || winetest.Wine() >= 10 }

// unsupported is what Wine does not have; Windows has all.
func unsupported() (text string) {
	if !hasDelayedStart() {
		text += "; this system does not support: delayed start"
	}
	if winetest.OnWine() {
		text += "; this system does not support: restart after an exit code"
	}
	return text
}

// trouble is an argument that must arrive as it is.
const trouble = `a "quoted" path\with spaces\`

// service is a service that a test installed.
type service struct {
	Config
	journal string
}

// newService returns a service with a behaviour, which is not installed yet. The test's end uninstalls it.
func newService(t *testing.T, behaviour string) service {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	journal, err := os.CreateTemp("", "winservice")
	if err != nil {
		t.Fatal(err)
	}
	if err := journal.Close(); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("vaultpane-test-%d-%s", os.Getpid(), strings.ReplaceAll(behaviour, " ", "-"))
	t.Cleanup(func() {
		if _, err := Uninstall(context.Background(), name, io.Discard); err != nil && !errors.Is(err, windows.ERROR_ACCESS_DENIED) {
			t.Error(err)
		}
		_ = os.Remove(journal.Name()) // t.TempDir cannot be removed under Wine 8
	})
	return service{journal: journal.Name(), Config: Config{
		Name: name, DisplayName: "Test of vaultpane (" + behaviour + ")", Description: "It can be deleted.",
		Executable: executable, Arguments: []string{marker, name, behaviour, journal.Name(), trouble},
	}}
}

func (s service) install(t *testing.T) {
	t.Helper()
	_, err := Install(s.Config)
	if errors.Is(err, windows.ERROR_ACCESS_DENIED) && !winetest.OnWine() {
		t.Skip("needs an administrator")
	}
	if err != nil {
		t.Fatal(err)
	}
}

func (s service) start(t *testing.T) {
	t.Helper()
	s.install(t)
	if _, err := Start(t.Context(), s.Name, io.Discard); err != nil {
		t.Fatal(err)
	}
}

// lines waits until the service has written so many lines, and returns them.
func (s service) lines(t *testing.T, count int) []string {
	t.Helper()
	var lines []string
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-time.After(interval) {
		content, err := os.ReadFile(s.journal)
		if err != nil {
			t.Fatal(err)
		}
		if lines = strings.Split(strings.TrimSpace(string(content)), "\n"); len(lines) >= count {
			break
		}
	}
	return lines
}

// did checks the sentence of a function.
func did(t *testing.T, want string) func(string, error) {
	return func(got string, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
}

func TestTheLifeOfAService(t *testing.T) {
	s := newService(t, "obeys")
	if got, err := Query(s.Name); err != nil || got != (Status{Name: s.Name}) {
		t.Fatalf("got %v, %v", got, err)
	}
	_, err := Start(t.Context(), s.Name, io.Discard)
	if err == nil || !strings.Contains(err.Error(), "is not installed") {
		t.Errorf("starting it: %v", err)
	}
	ctx := t.Context()
	s.install(t) // or skip
	did(t, "was installed already; configuration updated"+unsupported())(Install(s.Config))
	did(t, "was stopped already")(Stop(ctx, s.Name, io.Discard))
	did(t, "started")(Start(ctx, s.Name, io.Discard))
	did(t, "was running already")(Start(ctx, s.Name, io.Discard))
	if got := s.lines(t, 1); got[0] != "started "+trouble {
		t.Errorf("the service says %q", got)
	}
	checkRunning(t, s)
	did(t, "stopped")(Stop(ctx, s.Name, io.Discard))
	did(t, "was stopped already")(Stop(ctx, s.Name, io.Discard))
	want := []string{"started " + trouble, "asked to stop", "returned nil"}
	if diff := cmp.Diff(want, s.lines(t, len(want))); diff != "" {
		t.Error(diff)
	}
	if got, err := Query(s.Name); err != nil || got.State != "stopped" || got.PID != 0 || got.ExitCode != 0 {
		t.Errorf("after it stopped: %v, %v", got, err)
	}
	did(t, "started")(Start(ctx, s.Name, io.Discard))
	did(t, "uninstalled")(Uninstall(ctx, s.Name, io.Discard))
	did(t, "was not installed")(Uninstall(ctx, s.Name, io.Discard))
	did(t, "installed"+unsupported())(Install(s.Config))
}

func checkRunning(t *testing.T, s service) {
	t.Helper()
	got, err := Query(s.Name)
	if err != nil {
		t.Fatal(err)
	}
	if got.PID == 0 || int(got.PID) == os.Getpid() {
		t.Errorf("process %d", got.PID)
	}
	got.PID = 0
	start := "automatic (delayed)"
	if !hasDelayedStart() {
		start = "automatic"
	}
	want := Status{Name: s.Name, Installed: true, State: "running", StartType: start, CommandLine: got.CommandLine}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	arguments, err := windows.DecomposeCommandLine(got.CommandLine)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(append([]string{s.Executable}, s.Arguments...), arguments); diff != "" {
		t.Error(diff)
	}
}

func TestWhatInstallRefuses(t *testing.T) {
	for want, c := range map[string]Config{
		`must be absolute: "agent.exe"`: {Name: "vaultpane-test", Executable: "agent.exe"},
		`a name is needed`:              {Name: `vaultpane\test`, Executable: `C:\agent.exe`},
		`service ""`:                    {Executable: `C:\agent.exe`},
	} {
		if _, err := Install(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: got %v", c, err)
		}
	}
}

func TestOnlyTheServiceManagerCanRunAService(t *testing.T) {
	if err := Run("vaultpane-test", nil); err == nil || !strings.Contains(err.Error(), "service start") {
		t.Errorf("got %v", err)
	}
}

func TestAccessDeniedSaysWhatToDo(t *testing.T) {
	err := explain("opening service x", windows.ERROR_ACCESS_DENIED)
	if !errors.Is(err, windows.ERROR_ACCESS_DENIED) || !strings.HasSuffix(err.Error(), "run this command as administrator") {
		t.Errorf("got %v", err)
	}
}
