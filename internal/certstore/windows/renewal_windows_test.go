package windows

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
)

func link(t *testing.T, thumbprint, successor string) {
	t.Helper()
	err := withStore(testStore, func(store windows.Handle) error { return setSuccessor(store, thumbprint, successor) })
	if err != nil {
		t.Fatal(named(err))
	}
}

// linkOf reads the link through a handle of its own: what a second reader sees.
func linkOf(t *testing.T, thumbprint string) string {
	t.Helper()
	found := "the certificate is not there"
	err := eachIn(testStore, func(context *windows.CertContext) (err error) {
		if thumbprintOf(context) == thumbprint {
			found, err = successorOf(context)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestSuccessor(t *testing.T) {
	item := storetest.RSAItem(t, "web")
	item.FriendlyName = "the shop's"
	thumbprint := installed(t, item)
	for _, successor := range []string{"", newThumbprint, newThumbprint, oldThumbprint, "", ""} {
		link(t, thumbprint, successor)
		if got := linkOf(t, thumbprint); got != successor {
			t.Errorf("the link is %q, want %q", got, successor)
		}
	}
	link(t, thumbprint, strings.ToLower(newThumbprint))
	if got := linkOf(t, thumbprint); got != newThumbprint {
		t.Errorf("the link is %q, want %q", got, newThumbprint)
	}
	entry, err := New().Find(testStore, thumbprint)
	if err != nil {
		t.Fatal(err)
	}
	if entry.FriendlyName != item.FriendlyName || entry.Mark == nil || *entry.Mark != item.Mark || entry.Key != certstore.KeyPresent {
		t.Errorf("the link has changed something else: %+v", entry)
	}
}

func TestSuccessorThatCannotBeSet(t *testing.T) {
	thumbprint := installed(t, storetest.RSAItem(t, "web"))
	for _, successor := range []string{"no thumbprint", "ABCD", newThumbprint + "00", newThumbprint[1:]} {
		err := withStore(testStore, func(store windows.Handle) error { return setSuccessor(store, thumbprint, successor) })
		if err == nil {
			t.Errorf("%q was set", successor)
		}
	}
	err := withStore(testStore, func(store windows.Handle) error { return setSuccessor(store, oldThumbprint, newThumbprint) })
	if !errors.Is(err, windows.Errno(windows.CRYPT_E_NOT_FOUND)) {
		t.Errorf("got %v", err)
	}
}

// Wine has a powershell.exe that does nothing and ends well: that is no notification.
func TestNotifyReplaced(t *testing.T) {
	old, successor := installed(t, storetest.RSAItem(t, "web")), installed(t, storetest.RSAItem(t, "web"))
	err := notifyReplaced(t.Context(), testStore, old, successor)
	if onWine() {
		if !errors.Is(err, errNoNotification) {
			t.Errorf("got %v", err)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if !replacementLogged(t, old, successor) {
		t.Error("there is no event 1001 of the two certificates")
	}
}

// replacementLogged looks for event 1001 of two certificates in the channel of the machine.
func replacementLogged(t *testing.T, old, successor string) bool {
	t.Helper()
	const channel = "Microsoft-Windows-CertificateServicesClient-Lifecycle-System/Operational"
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
		events, err := exec.Command("wevtutil", "query-events", channel, "/query:*[System[EventID=1001]]", "/count:20", "/reversedirection:true", "/format:xml").CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, events)
		}
		text := strings.ToUpper(string(events))
		if strings.Contains(text, old) && strings.Contains(text, successor) {
			return true
		}
	}
	return false
}

// Windows only.
func TestNotifyReplacedOfACertificateThatIsNotThere(t *testing.T) {
	if onWine() {
		t.Skip("Wine has no PowerShell")
	}
	err := notifyReplaced(t.Context(), testStore, oldThumbprint, newThumbprint)
	if err == nil || errors.Is(err, errNoNotification) || !strings.Contains(err.Error(), oldThumbprint) {
		t.Errorf("got %v", err)
	}
}

func TestNotifyReplacedRefusesWhatIsNoThumbprint(t *testing.T) {
	if err := notifyReplaced(t.Context(), testStore, "'", newThumbprint); err == nil || errors.Is(err, errNoNotification) {
		t.Errorf("got %v", err)
	}
}

func TestWithoutPowerShellThereIsNoNotification(t *testing.T) {
	if err := runSwitch(t.Context(), `C:\vaultpane-nowhere\powershell.exe`, "x"); !errors.Is(err, errNoNotification) {
		t.Errorf("got %v", err)
	}
}

// pretend is what TestMain does in place of PowerShell.
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

func TestWhatPowerShellAnswers(t *testing.T) {
	for what, test := range map[string]struct {
		text string
		none bool
	}{
		"done":    {},
		"nothing": {"ended without doing anything", true},
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
			case err == nil || !strings.Contains(err.Error(), test.text) || errors.Is(err, errNoNotification) != test.none:
				t.Errorf("got %v", err)
			case len(err.Error()) > 400:
				t.Errorf("%d bytes long: %v", len(err.Error()), err)
			}
		})
	}
}
