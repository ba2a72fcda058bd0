package keys

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
	"github.com/vaultpane/vaultpane/test/winetest"
)

func withContainer(t *testing.T, location certstore.Location, capi bool) Container {
	t.Helper()
	item := storetest.RSAItem(t, "web")
	where := For(location, certstore.Thumbprint(item.Certificate), false, capi)
	t.Cleanup(func() {
		if err := where.Delete(); err != nil {
			t.Error(err)
		}
	})
	if err := where.Import(item.Key, false); err != nil {
		t.Fatal(err)
	}
	return where
}

func accessInAnotherProcess(t *testing.T, where Container) string {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), "VAULTPANE_TEST_ACCESS_OF="+where.Name)
	if where.ProviderType != 0 {
		command.Env = append(command.Env, "VAULTPANE_TEST_CAPI=1")
	}
	out, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return strings.TrimSpace(strings.TrimPrefix(string(out), "access "))
}

func testAccess(t *testing.T, where Container) {
	for _, readers := range [][]string{
		{"S-1-5-20"},
		{"S-1-5-20", "S-1-5-19"},
		{"S-1-5-82-1-2-3-4-5"}, // an account that does not exist: access lists contain SIDs
		nil,
	} {
		want := certstore.KeyAccess(certstore.LocalMachine, readers)
		if err := where.SetAccess(want); err != nil {
			t.Fatal(winerror.Named(err))
		}
		got, err := where.Access()
		if err != nil {
			t.Fatal(winerror.Named(err))
		}
		if got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		if where.Machine {
			if other := accessInAnotherProcess(t, where); other != got {
				t.Errorf("another process reads %s, this one %s", other, got)
			}
		}
		if !where.Opens() {
			t.Error("the key does not open any more")
		}
	}
}

func TestAccessOfAContainerInCAPI(t *testing.T) {
	for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		t.Run(string(location), func(t *testing.T) { testAccess(t, withContainer(t, location, true)) })
	}
}

func TestAccessOfAKeyInCNG(t *testing.T) {
	if winetest.WithoutCNG() {
		where := For(certstore.LocalMachine, strings.Repeat("0", 40), false, false)
		if err := where.SetAccess("D:P(A;;FA;;;SY)"); err == nil {
			t.Error("a key that does not exist has an access list")
		}
		if _, err := where.Access(); err == nil {
			t.Error("a key that does not exist has an access list")
		}
		t.Skip("Wine has no keys in CNG, except with the stand-in of hack/wine")
	}
	for _, location := range []certstore.Location{certstore.LocalMachine, certstore.CurrentUser} {
		t.Run(string(location), func(t *testing.T) { testAccess(t, withContainer(t, location, false)) })
	}
}

func TestAccessThatCannotBeSet(t *testing.T) {
	where := withContainer(t, certstore.LocalMachine, true)
	before, err := where.Access()
	if err != nil {
		t.Fatal(err)
	}
	for name, sddl := range map[string]string{
		"no SDDL": "everybody", "no access list": "O:BA", "nothing": "",
	} {
		if err := where.SetAccess(sddl); err == nil {
			t.Errorf("%s: %q was set", name, sddl)
		}
	}
	if after, err := where.Access(); err != nil || after != before {
		t.Errorf("it changed from %s to %s (%v)", before, after, err)
	}
}

func TestAccessOfAContainerThatDoesNotExist(t *testing.T) {
	where := For(certstore.LocalMachine, strings.Repeat("0", 40), false, true)
	if _, err := where.Access(); !errors.Is(err, windows.Errno(windows.NTE_BAD_KEYSET)) {
		t.Errorf("got %v", err)
	}
	if err := where.SetAccess("D:P(A;;FA;;;SY)"); !errors.Is(err, windows.Errno(windows.NTE_BAD_KEYSET)) {
		t.Errorf("got %v", err)
	}
}
