package switchcert

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// TestMain also plays PowerShell, which some tests start.
func TestMain(m *testing.M) {
	if what := os.Getenv("VAULTPANE_TEST_PRETEND"); what != "" {
		pretend(what)
	}
	os.Exit(m.Run())
}

func TestNotifyRejectsAnInvalidThumbprint(t *testing.T) {
	if err := Notify(t.Context(), certstore.Ref{Location: certstore.LocalMachine, Name: "MY"}, "'", newThumbprint); err == nil || errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

func TestNotifyWithoutPowerShellIsUnavailable(t *testing.T) {
	if err := runSwitch(t.Context(), `C:\vaultpane-nowhere\powershell.exe`, "x"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// pretend replaces PowerShell in TestMain.
func pretend(what string) {
	switch what {
	case "done":
		os.Stdout.WriteString(switchDone + "\n") //nolint:errcheck // the reader misses it
	case "missing":
		os.Stdout.WriteString("The term 'Switch-Certificate' is not recognized\n") //nolint:errcheck // as above
		os.Exit(switchMissing)
	case "failure":
		os.Stdout.WriteString("Cannot find path\r\n  " + strings.Repeat("long ", 100)) //nolint:errcheck // as above
		os.Exit(1)
	case "hang":
		<-time.After(time.Minute)
	}
	os.Exit(0)
}

func TestTheResultsOfPowerShell(t *testing.T) {
	for what, test := range map[string]struct {
		text string
		none bool
	}{
		"done":    {},
		"nothing": {"exited without running the script", true},
		"missing": {"The term 'Switch-Certificate' is not recognized", true},
		"failure": {"exit status 1: Cannot find path long long", false},
		"hang":    {context.DeadlineExceeded.Error(), false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Setenv("VAULTPANE_TEST_PRETEND", what)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			if what == "hang" {
				ctx, cancel = context.WithTimeout(t.Context(), time.Second)
			}
			defer cancel()
			err := runSwitch(ctx, os.Args[0], "x")
			switch {
			case test.text == "":
				if err != nil {
					t.Errorf("got %v", err)
				}
			case err == nil || !strings.Contains(err.Error(), test.text) || errors.Is(err, ErrUnavailable) != test.none:
				t.Errorf("got %v", err)
			case len(err.Error()) > 400:
				t.Errorf("%d bytes long: %v", len(err.Error()), err)
			}
		})
	}
}
