package powershell

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/test/winetest"
)

// TestMain also plays PowerShell, which some tests start.
func TestMain(m *testing.M) {
	if what := os.Getenv("VAULTPANE_TEST_PRETEND"); what != "" {
		pretend(what)
	}
	os.Exit(m.Run())
}

func TestASystemWithoutPowerShell(t *testing.T) {
	if err := run(t.Context(), `C:\vaultpane-nowhere\powershell.exe`, "Get-Nothing", "x"); !errors.Is(err, ErrUnavailable) {
		t.Errorf("got %v", err)
	}
}

// Wine has a program of this name that does nothing and exits with 0.
func TestThisSystemsPowerShell(t *testing.T) {
	err := Run(t.Context(), "Get-Date", Script("$null = Get-Date"))
	if winetest.OnWine() != errors.Is(err, ErrUnavailable) || !winetest.OnWine() && err != nil {
		t.Errorf("got %v", err)
	}
	if err := Run(t.Context(), "Get-VaultpaneNothing", Script("Get-VaultpaneNothing")); !errors.Is(err, ErrUnavailable) {
		t.Errorf("a command that does not exist: %v", err)
	}
}

// pretend replaces PowerShell in TestMain.
func pretend(what string) {
	switch what {
	case "done":
		os.Stdout.WriteString(done + "\n") //nolint:errcheck // the reader misses it
	case "missing":
		os.Stdout.WriteString("The term 'Get-Nothing' is not recognized\n") //nolint:errcheck // as above
		os.Exit(missing)
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
		"nothing": {"with the command Get-Nothing: it exited without running the script", true},
		"missing": {"The term 'Get-Nothing' is not recognized", true},
		"failure": {"running Get-Nothing: exit status 1: Cannot find path long long", false},
		"hang":    {context.DeadlineExceeded.Error(), false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Setenv("VAULTPANE_TEST_PRETEND", what)
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			if what == "hang" {
				ctx, cancel = context.WithTimeout(t.Context(), time.Second)
			}
			defer cancel()
			err := run(ctx, os.Args[0], "Get-Nothing", "x")
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
