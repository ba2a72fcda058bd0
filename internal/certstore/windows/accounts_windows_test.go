package windows

import (
	"errors"
	"testing"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/test/winetest"
)

func TestResolveAccount(t *testing.T) {
	me, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	user, domain, _, err := me.User.Sid.LookupAccount("")
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		`NT AUTHORITY\SYSTEM`:          "S-1-5-18",
		`SYSTEM`:                       "S-1-5-18",
		`NT AUTHORITY\NETWORK SERVICE`: "S-1-5-20",
		`Network Service`:              "S-1-5-20",
		`BUILTIN\Administrators`:       "S-1-5-32-544",
		`Everyone`:                     "S-1-1-0",
		user:                           me.User.Sid.String(),
		domain + `\` + user:            me.User.Sid.String(),
		"S-1-5-20":                     "S-1-5-20",
		"s-1-5-20":                     "S-1-5-20",
		"S-1-5-82-1-2-3-4-5":           "S-1-5-82-1-2-3-4-5", // an application pool that does not exist
	} {
		if got, err := resolveAccount(name); err != nil || got != want {
			t.Errorf("%q is %q (%v), want %s", name, got, err, want)
		}
	}
}

func TestResolveAccountThatDoesNotExist(t *testing.T) {
	host, err := windows.ComputerName()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"vaultpane-nobody", host + `\vaultpane-nobody`, `NT SERVICE\vaultpane-nobody`, `IIS AppPool\vaultpane-nobody`,
		"S-1-5-", "S-1-x", "S-1-5-20 ", "", "SY",
	} {
		got, err := resolveAccount(name)
		var unknown *certstore.UnknownAccount
		if !errors.As(err, &unknown) || unknown.Account != name {
			t.Errorf("%q is %q (%v)", name, got, err)
		}
	}
}

// Windows only: Wine has accounts neither for services nor for the groups of IIS.
func TestResolveAccountOfAService(t *testing.T) {
	if winetest.OnWine() {
		t.Skip("Wine has no service accounts")
	}
	const installer = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464" // the same on every Windows
	if got, err := resolveAccount(`NT SERVICE\TrustedInstaller`); err != nil || got != installer {
		t.Errorf("got %q (%v)", got, err)
	}
}
