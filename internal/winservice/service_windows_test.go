package winservice

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc"

	"github.com/vaultpane/vaultpane/test/winetest"
)

// unsupported is what Wine 8 does not have (ERROR_INVALID_LEVEL); Windows has all.
func unsupported() string {
	if winetest.OnWine() {
		return "; this system does not support: delayed start; this system does not support: restart after an exit code"
	}
	return ""
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
	if winetest.OnWine() {
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

func TestAFailureIsTheServicesExitCode(t *testing.T) {
	s := newService(t, "fails")
	s.install(t)
	// It may run for a moment or have ended already.
	if _, err := Start(t.Context(), s.Name, io.Discard); err != nil && !strings.Contains(err.Error(), "with exit code 1;") {
		t.Error(err)
	}
	if got := s.lines(t, 2); got[1] != "returned the work failed" {
		t.Errorf("the service says %q", got)
	}
	if got := ended(t, s); got.ExitCode != exitFailed {
		t.Errorf("got %v", got)
	}
	if winetest.OnWine() {
		t.Log("Wine does not start a service again")
		return
	}
	if got := s.lines(t, 3); len(got) < 3 || got[2] != "started "+trouble {
		t.Errorf("it was not started again: %q", got)
	}
}

// ended waits until the service has stopped.
func ended(t *testing.T, s service) Status {
	t.Helper()
	var status Status
	for deadline := time.Now().Add(4 * time.Second); time.Now().Before(deadline); <-time.After(interval / 10) {
		var err error
		if status, err = Query(s.Name); err != nil {
			t.Fatal(err)
		}
		if status.State == "stopped" {
			break
		}
	}
	return status
}

func TestWorkThatEndsIsNoFailure(t *testing.T) {
	s := newService(t, "ends")
	s.install(t)
	if _, err := Start(t.Context(), s.Name, io.Discard); err != nil && !strings.Contains(err.Error(), "with exit code 0;") {
		t.Error(err)
	}
	if got := s.lines(t, 2); got[1] != "returned nil" {
		t.Errorf("the service says %q", got)
	}
	if got := ended(t, s); got.State != "stopped" || got.ExitCode != 0 {
		t.Errorf("got %v", got)
	}
}

// Otherwise Windows would start a service again that an operator has stopped.
func TestAFailureAfterTheRequestToStopIsNoExitCode(t *testing.T) {
	s := newService(t, "fails late")
	s.start(t)
	did(t, "stopped")(Stop(t.Context(), s.Name, io.Discard))
	if got := s.lines(t, 3); got[2] != "returned the end failed" {
		t.Errorf("the service says %q", got)
	}
	if got := ended(t, s); got.State != "stopped" || got.ExitCode != 0 {
		t.Errorf("got %v", got)
	}
}

func TestASlowEndIsWaitedForAndReported(t *testing.T) {
	s := newService(t, "slow")
	s.start(t)
	var out strings.Builder
	did(t, "stopped")(Stop(t.Context(), s.Name, &out))
	if want := "service " + s.Name + " is stopping, for 5s now\n"; !strings.HasPrefix(out.String(), want) {
		t.Errorf("got %q, want %q", out.String(), want)
	}
	if got := s.lines(t, 3); got[2] != "returned nil" {
		t.Errorf("the service says %q", got)
	}
}

func TestTheServiceManagerSeesProgressUntilTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ended, requests, reports := make(chan error), make(chan svc.ChangeRequest), make(chan svc.Status, 100)
		go func() {
			<-time.After(4*alive + alive/2)
			requests <- svc.ChangeRequest{Cmd: svc.Interrogate}
			ended <- io.EOF
		}()
		if err := stopping(ended, requests, reports); !errors.Is(err, io.EOF) {
			t.Errorf("got %v", err)
		}
		close(reports)
		var want, got []svc.Status
		for i := range uint32(6) { // at once, after each tick, and for the request
			want = append(want, svc.Status{State: svc.StopPending, CheckPoint: i + 1, WaitHint: waitHint})
		}
		for report := range reports {
			got = append(got, report)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
}

func TestRecovery(t *testing.T) {
	s := newService(t, "obeys")
	s.install(t)
	opened, err := open(s.Name, windows.SERVICE_QUERY_CONFIG)
	if err != nil {
		t.Fatal(err)
	}
	defer closeService(opened)
	actions, err := opened.RecoveryActions()
	if winetest.OnWine() && errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		t.Skip("Wine takes recovery actions and does not keep them")
	}
	if diff := cmp.Diff(recovery, actions); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if period, err := opened.ResetPeriod(); err != nil || period != 86400 {
		t.Errorf("reset period %d s, %v", period, err)
	}
	if always, err := opened.RecoveryActionsOnNonCrashFailures(); err != nil || !always {
		t.Errorf("only after crashes: %v, %v", !always, err)
	}
}

func TestTheSourceOfEventsComesAndGoes(t *testing.T) {
	s := newService(t, "obeys")
	path := `SYSTEM\CurrentControlSet\Services\EventLog\Application\` + s.Name
	exists := func() bool {
		key, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.QUERY_VALUE)
		if err != nil {
			return false
		}
		defer func() { _ = key.Close() }()
		types, _, err := key.GetIntegerValue("TypesSupported")
		file, _, _ := key.GetStringValue("EventMessageFile")
		if err != nil || types != 7 || filepath.Base(file) != "EventCreate.exe" {
			t.Errorf("types %d, file %q, %v", types, file, err)
		}
		return true
	}
	s.install(t)
	if !exists() {
		t.Error("it does not exist")
	}
	did(t, "uninstalled")(Uninstall(t.Context(), s.Name, io.Discard))
	if exists() {
		t.Error("it stays")
	}
}

func TestEventsAreInTheApplicationLog(t *testing.T) {
	if winetest.OnWine() {
		t.Skip("Wine drops events")
	}
	s := newService(t, "obeys")
	s.start(t)
	s.lines(t, 1)
	query := fmt.Sprintf("*[System[Provider[@Name='%s'] and EventID=%d]]", s.Name, EventStarted)
	var output []byte
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-time.After(interval) {
		var err error
		output, err = exec.CommandContext(t.Context(), "wevtutil.exe", "query-events", "Application", "/query:"+query, "/format:text").CombinedOutput()
		if err == nil && strings.Contains(string(output), "Test of vaultpane") {
			return
		}
	}
	t.Errorf("wevtutil says %s", output)
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
