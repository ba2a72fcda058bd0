package windows

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/controllers/internal/certstore"
	"github.com/vaultpane/vaultpane/controllers/internal/certstore/storetest"
)

// entriesOf returns the entries of an access list in SDDL, with the generic rights that Windows adds taken away and without
// the flags.
func entriesOf(sddl string) []string {
	_, list, _ := strings.Cut(sddl, "(")
	list = strings.NewReplacer("0xd01f01ff", "FA", "0x1f01ff", "FA", "0x80120089", "FR", "0x120089", "FR").Replace(list)
	return strings.Split(strings.TrimSuffix(list, ")"), ")(")
}

func withContainer(t *testing.T, location certstore.Location, capi bool) container {
	t.Helper()
	item := storetest.RSAItem(t, "web")
	where := containerFor(location, certstore.Thumbprint(item.Certificate), false, capi)
	t.Cleanup(func() {
		if err := where.delete(); err != nil {
			t.Error(err)
		}
	})
	if err := where.put(item.Key, false); err != nil {
		t.Fatal(err)
	}
	return where
}

func accessInAnotherProcess(t *testing.T, where container) string {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "VAULTPANE_TEST_ACCESS_OF="+where.name)
	if where.providerType != 0 {
		command.Env = append(command.Env, "VAULTPANE_TEST_CAPI=1")
	}
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(strings.TrimPrefix(string(out), "access "))
}

func testAccess(t *testing.T, where container) {
	for _, entries := range [][]string{
		{"A;;FA;;;SY", "A;;FA;;;BA", "A;;FR;;;NS"},
		{"A;;FA;;;SY", "A;;FA;;;BA", "A;;FR;;;NS", "A;;FR;;;LS"},
		{"A;;FA;;;SY", "A;;FA;;;BA", "A;;FR;;;S-1-5-82-1-2-3-4-5"}, // an account of no machine: rights are kept by SID
		{"A;;FA;;;SY", "A;;FA;;;BA"},
	} {
		if err := where.setAccess("D:P(" + strings.Join(entries, ")(") + ")"); err != nil {
			t.Fatal(named(err))
		}
		got, err := where.access()
		if err != nil {
			t.Fatal(named(err))
		}
		if strings.Join(entriesOf(got), " ") != strings.Join(entries, " ") {
			t.Errorf("got %s, want %v", got, entries)
		}
		if strings.Contains(got, "O:") || strings.Contains(got, "S:") {
			t.Errorf("%s has more than the access list", got)
		}
		if where.machine {
			if other := accessInAnotherProcess(t, where); other != got {
				t.Errorf("another process reads %s, this one %s", other, got)
			}
		}
		if !where.opens() {
			t.Error("the key does not open any more")
		}
	}
}

func TestAccessOfAContainerInCAPI(t *testing.T) {
	for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		t.Run(string(location), func(t *testing.T) { testAccess(t, withContainer(t, location, true)) })
	}
}

// Windows only: Wine has no keys in CNG.
func TestAccessOfAKeyInCNG(t *testing.T) {
	if onWine() {
		where := containerFor(certstore.LocalMachine, strings.Repeat("0", 40), false, false)
		if err := where.setAccess("D:P(A;;FA;;;SY)"); err == nil {
			t.Error("a key that is not there has an access list")
		}
		if _, err := where.access(); err == nil {
			t.Error("a key that is not there has an access list")
		}
		t.Skip("Wine has no keys in CNG")
	}
	for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		t.Run(string(location), func(t *testing.T) { testAccess(t, withContainer(t, location, false)) })
	}
}

func TestAccessThatCannotBeSet(t *testing.T) {
	where := withContainer(t, certstore.LocalMachine, true)
	before, err := where.access()
	if err != nil {
		t.Fatal(err)
	}
	for name, sddl := range map[string]string{
		"no SDDL": "everybody", "no access list": "O:BA", "nothing": "",
	} {
		if err := where.setAccess(sddl); err == nil {
			t.Errorf("%s: %q was set", name, sddl)
		}
	}
	if after, err := where.access(); err != nil || after != before {
		t.Errorf("it was %s and is %s (%v)", before, after, err)
	}
}

func TestAccessOfAContainerThatIsNotThere(t *testing.T) {
	where := containerFor(certstore.LocalMachine, strings.Repeat("0", 40), false, true)
	if _, err := where.access(); !errors.Is(err, windows.Errno(windows.NTE_BAD_KEYSET)) {
		t.Errorf("got %v", err)
	}
	if err := where.setAccess("D:P(A;;FA;;;SY)"); !errors.Is(err, windows.Errno(windows.NTE_BAD_KEYSET)) {
		t.Errorf("got %v", err)
	}
}
