package winservice

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/windows/svc"

	"github.com/vaultpane/vaultpane/test/winetest"
)

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
