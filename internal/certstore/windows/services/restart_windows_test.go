package services

import (
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"
	"golang.org/x/sys/windows/svc/mgr"

	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/hklm"
	"github.com/vaultpane/vaultpane/internal/winservice"
	"github.com/vaultpane/vaultpane/test/winetest"
)

func TestARestart(t *testing.T) {
	s := install(t, "obeys").start(t)
	if got := s.state(t); got != (State{Exists: true}) {
		t.Errorf("before: %+v", got)
	}
	begin := time.Now()
	if err := s.restart(t, first); err != nil {
		t.Fatal(err)
	}
	s.wrote(t, "started", "stopping", "stopped", "started")
	got := s.state(t)
	if got.RestartedAt.Before(begin) || got.RestartedAt.After(time.Now()) {
		t.Errorf("restarted at %s", got.RestartedAt)
	}
	if want := (State{Exists: true, Thumbprint: first, RestartedAt: got.RestartedAt}); got != want || s.intends(t) {
		t.Errorf("after: %+v, want %+v", got, want)
	}
	other, err := Read(strings.ToUpper(s.name), "other")
	if want := (State{Exists: true, RestartedAt: got.RestartedAt}); err != nil || other != want {
		t.Errorf("for another owner: %+v (%v), want %+v", other, err, want)
	}
}

// Two owners are one after another: the second decides again.
func TestARestartThatWasDecidedBeforeAnother(t *testing.T) {
	s := install(t, "obeys").start(t)
	seen := s.state(t).RestartedAt
	if err := s.restart(t, first); err != nil {
		t.Fatal(err)
	}
	err := Restart{Service: s.name, Owner: "api", Thumbprint: second, Seen: seen}.Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "in the meantime") {
		t.Errorf("got %v", err)
	}
	s.wrote(t, "started", "stopping", "stopped", "started")
}

func TestAServiceThatDoesNotRunIsNotStarted(t *testing.T) {
	s := install(t, "obeys")
	if got := s.state(t); got != (State{Exists: true, Stopped: true}) {
		t.Errorf("got %+v", got)
	}
	if err := s.restart(t, first); err != nil {
		t.Error(err)
	}
	if got := s.state(t); got != (State{Exists: true, Stopped: true, Thumbprint: first}) { // it has it when it starts
		t.Errorf("after: %+v", got)
	}
	s.wrote(t)
}

func TestAServiceThatDoesNotExist(t *testing.T) {
	if got, err := Read("vaultpane-test-nothing", "web"); err != nil || got != (State{}) {
		t.Errorf("got %+v (%v)", got, err)
	}
	if err := (Restart{Service: "vaultpane-test-nothing", Owner: "web", Thumbprint: first}).Run(t.Context()); err == nil {
		t.Error("its restart is no error")
	}
	if _, exists, err := hklm.Text(recordPath("vaultpane-test-nothing"), restartedAtValue); exists || err != nil {
		t.Errorf("it has a record (%v)", err)
	}
}

func TestWhatIsNoRestart(t *testing.T) {
	for name, restart := range map[string]Restart{
		"a key below a service": {Service: `w3svc\Parameters`, Owner: "web", Thumbprint: first},
		"no service":            {Owner: "web", Thumbprint: first},
		"no owner":              {Service: "w3svc", Thumbprint: first},
		"half a thumbprint":     {Service: "w3svc", Owner: "web", Thumbprint: first[:20]},
	} {
		if err := restart.Run(t.Context()); err == nil {
			t.Errorf("%s is accepted", name)
		}
	}
	if _, err := Read(`w3svc\Parameters`, "web"); err == nil {
		t.Error("a key below a service is read")
	}
}

// A killed agent leaves the service stopped, and an intent, by which its successor starts it.
func killed(t *testing.T) service {
	t.Helper()
	s := install(t, "stops slowly").start(t)
	agent := exec.Command(os.Args[0])
	agent.Env = append(os.Environ(), asAgent+"="+s.name)
	if err := agent.Start(); err != nil {
		t.Fatal(err)
	}
	s.wrote(t, "started", "stopping") // reading the state is for one agent at a time: between intent and stop it removes the intent
	if err := agent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = agent.Wait() // it was killed
	s.wrote(t, "started", "stopping", "stopped")
	eventually(t, "the service has stopped", func() bool { return s.state(t).Stopped })
	if got := s.state(t); got != (State{Exists: true, Stopped: true, Interrupted: true}) {
		t.Fatalf("after the kill: %+v", got)
	}
	return s
}

func TestAnAgentThatIsKilledBetweenStopAndStart(t *testing.T) {
	s := killed(t)
	// The successor restarts for another certificate: both were in the store before the service started.
	if err := (Restart{Service: s.name, Owner: "api", Thumbprint: first}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.wrote(t, "started", "stopping", "stopped", "started")
	if got := s.state(t); got.Stopped || got.Interrupted || got.Thumbprint != second || s.intends(t) {
		t.Errorf("after the start: %+v", got)
	}
	if got, err := Read(s.name, "api"); err != nil || got.Thumbprint != first {
		t.Errorf("for the successor's certificate: %+v (%v)", got, err)
	}
}

// Whatever the certificates say by now, the service runs again.
func TestAfterAKillTheServiceRunsAgain(t *testing.T) {
	for name, resume := range map[string]func(service) error{
		"at the start of the next agent": func(service) error { return Resume(t.Context()) },
		"for no certificate":             func(s service) error { return Restart{Service: s.name, Owner: "api"}.Run(t.Context()) },
	} {
		t.Run(name, func(t *testing.T) {
			s := killed(t)
			if err := resume(s); err != nil {
				t.Fatal(err)
			}
			s.wrote(t, "started", "stopping", "stopped", "started")
			if got := s.state(t); got.Stopped || got.Interrupted || got.Thumbprint != second || got.RestartedAt.IsZero() || s.intends(t) {
				t.Errorf("after the start: %+v", got)
			}
			if err := Resume(t.Context()); err != nil {
				t.Error(err)
			}
			s.wrote(t, "started", "stopping", "stopped", "started")
		})
	}
}

func TestResumeRemovesIntentsThatWereFulfilled(t *testing.T) {
	s, stopped := install(t, "obeys").start(t), install(t, "obeys")
	if err := Resume(t.Context()); err != nil {
		t.Error(err)
	}
	if got := stopped.state(t); !got.Stopped {
		t.Errorf("without an intent, a service was started: %+v", got)
	}
	for _, name := range []string{s.name, "vaultpane-test-removed"} {
		if err := writeIntent(name, intent{"web", second}); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		if err := registry.DeleteKey(registry.LOCAL_MACHINE, recordPath("vaultpane-test-removed")); err != nil {
			t.Error(err)
		}
	})
	if err := Resume(t.Context()); err != nil {
		t.Error(err)
	}
	kept, err := readRecord("vaultpane-test-removed", "web")
	if s.intends(t) || kept.stopping != nil || err != nil {
		t.Errorf("an intent is left over (%v)", err)
	}
	s.wrote(t, "started")
}

func TestWithoutACertificateNothingIsRestarted(t *testing.T) {
	s := install(t, "obeys").start(t)
	if err := (Restart{Service: s.name, Owner: "web"}).Run(t.Context()); err == nil || s.intends(t) {
		t.Errorf("got %v", err)
	}
	s.wrote(t, "started")
}

// An agent that is killed right after it has written the intent has stopped nothing. A person may stop the service later, and it
// must not be started then.
func TestTheIntentOfAServiceThatRunsIsForgotten(t *testing.T) {
	s := install(t, "obeys").start(t)
	if err := writeIntent(s.name, intent{"web", second}); err != nil {
		t.Fatal(err)
	}
	if got := s.state(t); got != (State{Exists: true}) || s.intends(t) {
		t.Errorf("got %+v", got)
	}
	if _, err := winservice.Stop(t.Context(), s.name, io.Discard); err != nil {
		t.Fatal(err)
	}
	if got := s.state(t); got != (State{Exists: true, Stopped: true}) {
		t.Errorf("after it was stopped: %+v", got)
	}
}

func TestAServiceThatDoesNotStopInTime(t *testing.T) {
	shorten(t, &limit, 500*time.Millisecond)
	s := install(t, "stops slowly").start(t)
	err := s.restart(t, first)
	if err == nil || !strings.Contains(err.Error(), "to stop: it has not done so within 500ms") {
		t.Fatalf("got %v", err)
	}
	if got := s.state(t); !got.Interrupted || got.Thumbprint != "" {
		t.Errorf("it is %+v", got)
	}
	eventually(t, "the service has stopped", func() bool { return s.state(t).Stopped })
	limit = 30 * time.Second
	if err := s.restart(t, first); err != nil {
		t.Fatal(err)
	}
	s.wrote(t, "started", "stopping", "stopped", "started")
}

func TestAServiceThatDoesNotStartAgain(t *testing.T) {
	s := install(t, "starts once").start(t)
	err := s.restart(t, first)
	// The service manager says so at once, or in the service's state.
	if err == nil || !strings.Contains(err.Error(), "was stopped to be restarted") {
		t.Fatalf("got %v", err)
	}
	if got := s.state(t); !got.Interrupted || got.Thumbprint != "" {
		t.Errorf("it is %+v", got)
	}
}

func TestAnAgentThatEndsStartsTheServiceBefore(t *testing.T) {
	s := install(t, "stops slowly").start(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Restart{Service: s.name, Owner: "web", Thumbprint: first}.Run(ctx) }()
	s.wrote(t, "started", "stopping") // no call: two at once fail in Wine's client of the service manager
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	s.wrote(t, "started", "stopping", "stopped", "started")
}

func TestAnAgentThatEndsDoesNotWaitForLong(t *testing.T) {
	shorten(t, &grace, 100*time.Millisecond)
	s := install(t, "stops slowly").start(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- Restart{Service: s.name, Owner: "web", Thumbprint: first}.Run(ctx) }()
	s.wrote(t, "started", "stopping") // no call: two at once fail in Wine's client of the service manager
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) || !s.intends(t) {
		t.Errorf("got %v", err)
	}
	if err := s.restart(t, first); err != nil { // it stops, and must run again
		t.Error(err)
	}
}

func TestAnAgentThatHasEndedStopsNothing(t *testing.T) {
	s := install(t, "obeys").start(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := (Restart{Service: s.name, Owner: "web", Thumbprint: first}).Run(ctx); !errors.Is(err, context.Canceled) || s.intends(t) {
		t.Errorf("got %v", err)
	}
	s.wrote(t, "started")
}

func TestADisabledServiceIsNotStopped(t *testing.T) {
	s := install(t, "obeys").start(t)
	s.configure(t, func(service *mgr.Service) error {
		const same = windows.SERVICE_NO_CHANGE
		return windows.ChangeServiceConfig(service.Handle, same, windows.SERVICE_DISABLED, same, nil, nil, nil, nil, nil, nil, nil)
	})
	if err := s.restart(t, first); err == nil || !strings.Contains(err.Error(), "is disabled") || s.intends(t) {
		t.Errorf("got %v", err)
	}
	s.wrote(t, "started")
}

func TestAServiceWithDependentsThatRunIsNotStopped(t *testing.T) {
	s, dependent := install(t, "obeys").start(t), install(t, "depends")
	dependent.configure(t, func(service *mgr.Service) error {
		names := append(windows.StringToUTF16(s.name), 0) // a list ends with a further zero
		const same = windows.SERVICE_NO_CHANGE
		return windows.ChangeServiceConfig(service.Handle, same, same, same, nil, nil, nil, &names[0], nil, nil, nil)
	})
	dependent.start(t)
	err := s.restart(t, first)
	if err == nil && winetest.OnWine() {
		t.Skip("Wine lists no dependent services")
	}
	if err == nil || !strings.Contains(err.Error(), dependent.name) || s.intends(t) {
		t.Errorf("got %v", err)
	}
	s.wrote(t, "started")
}

func TestDependentsAreNamed(t *testing.T) {
	if err := noDependents("was", nil); err != nil {
		t.Error(err)
	}
	want := "the service was was not restarted, because services that depend on it run: w3svc, iisadmin. Windows would have to stop them too. " +
		"Restart them by hand, or let the entry name a service without dependents"
	if err := noDependents("was", []string{"w3svc", "iisadmin"}); err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestStartedAt(t *testing.T) {
	if got := StartedAt("vaultpane-test-nothing"); !got.IsZero() {
		t.Errorf("a service that does not exist: %s", got)
	}
	s := install(t, "obeys")
	if got := StartedAt(s.name); !got.IsZero() {
		t.Errorf("a service that does not run: %s", got)
	}
	begin := time.Now()
	s.start(t)
	const precision = time.Second // of the clock of Wine's kernel
	if got := StartedAt(s.name); got.Before(begin.Add(-precision)) || got.After(time.Now().Add(precision)) {
		t.Errorf("got %s, which is not after %s", got, begin)
	}
}

func TestAccount(t *testing.T) {
	s := install(t, "obeys")
	name, sid, exists, err := Account(s.name)
	if name != `NT AUTHORITY\SYSTEM` || sid != "S-1-5-18" || !exists || err != nil {
		t.Errorf("got %s %s %v (%v)", name, sid, exists, err)
	}
	if _, _, exists, err := Account("vaultpane-test-nothing"); exists || err != nil {
		t.Errorf("a service that does not exist: %v (%v)", exists, err)
	}
}

// configure opens the service with all rights.
func (s service) configure(t *testing.T, change func(*mgr.Service) error) {
	t.Helper()
	opened, err := open(s.name, windows.SERVICE_ALL_ACCESS)
	if err != nil || opened == nil {
		t.Fatal(err)
	}
	defer closeService(opened)
	if err := change(opened); err != nil {
		t.Fatal(err)
	}
}

// shorten sets a time for a test.
func shorten(t *testing.T, which *time.Duration, to time.Duration) {
	was := *which
	*which = to
	t.Cleanup(func() { *which = was })
}
