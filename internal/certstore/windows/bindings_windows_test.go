package windows

import (
	"errors"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/httpsys"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/winerror"
	"github.com/vaultpane/vaultpane/test/winetest"
)

// Wine has the functions and no bindings.
func TestBindingsOfAMachineWithoutBindings(t *testing.T) {
	bound, err := httpsys.Bindings()
	if err != nil {
		t.Fatal(winerror.Named(err))
	}
	if winetest.OnWine() && len(bound) != 0 {
		t.Errorf("got %v", bound)
	}
}

// Windows only: netsh binds a certificate by address and by host, and both bindings are read back.
func TestBindings(t *testing.T) {
	if winetest.OnWine() {
		t.Skip("Wine has no http.sys that keeps bindings")
	}
	item := storetest.RSAItem(t, "web")
	thumbprint := certstore.Thumbprint(item.Certificate)
	my := certstore.Ref{Location: certstore.LocalMachine, Name: "MY"}
	if _, err := New().Install(my, item); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := New().Remove(my, thumbprint); err != nil {
			t.Error(err)
		}
	})
	names := map[string]string{"ipport": "127.0.0.1:44331", "hostnameport": "shop.example:44331"}
	for kind, name := range names {
		key := kind + "=" + name
		arguments := []string{"http", "add", "sslcert", key, "certhash=" + thumbprint, "appid={5a1f5a6e-9f4c-4f0e-8f0a-7a1f5a6e9f4c}", "certstorename=MY"}
		if out, err := exec.Command("netsh", arguments...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		t.Cleanup(func() {
			if out, err := exec.Command("netsh", "http", "delete", "sslcert", key).CombinedOutput(); err != nil {
				t.Errorf("%v: %s", err, out)
			}
		})
	}
	bound, err := httpsys.Bindings()
	if err != nil {
		t.Fatal(winerror.Named(err))
	}
	for _, name := range names {
		if !slices.Contains(bound[thumbprint], name) {
			t.Errorf("%s is not among %v", name, bound[thumbprint])
		}
	}
}

// netsh runs netsh http and returns what it prints.
func netsh(t *testing.T, arguments ...string) string {
	t.Helper()
	out, err := exec.Command("netsh", append([]string{"http"}, arguments...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("netsh http %v: %v: %s", arguments, err, out)
	}
	return string(out)
}

// inMY installs a certificate, which the test's end removes, and returns its thumbprint.
func inMY(t *testing.T) string {
	t.Helper()
	item := storetest.RSAItem(t, "web")
	if _, err := New().Install(myStore, item); err != nil {
		t.Fatal(err)
	}
	thumbprint := certstore.Thumbprint(item.Certificate)
	t.Cleanup(func() {
		if err := New().Remove(myStore, thumbprint); err != nil {
			t.Error(err)
		}
	})
	return thumbprint
}

// Windows only: a binding that netsh made, with settings that are not the defaults, has another certificate after a switch, and
// everything else that netsh shows of it as before.
func TestASwitchOfABindingKeepsItsSettings(t *testing.T) {
	if winetest.OnWine() {
		t.Skip("Wine has no http.sys that keeps bindings")
	}
	first, second := inMY(t), inMY(t)
	for _, use := range []usedby.Use{
		{Kind: usedby.HTTPSys, Target: "127.0.0.1:44332"}, {Kind: usedby.HTTPSys, Target: "[::1]:44332"},
		{Kind: usedby.HTTPSys, Target: "shop.example:44332", ByHost: true},
	} {
		t.Run(use.Target, func(t *testing.T) {
			key := "ipport=" + use.Target
			if use.ByHost {
				key = "hostnameport=" + use.Target
			}
			netsh(t, "add", "sslcert", key, "certhash="+first, "certstorename=MY", "appid={5a1f5a6e-9f4c-4f0e-8f0a-7a1f5a6e9f4c}",
				"clientcertnegotiation=enable", "dsmapperusage=enable", "verifyclientcertrevocation=disable", "usagecheck=disable",
				"revocationfreshnesstime=60", "urlretrievaltimeout=1000")
			t.Cleanup(func() { netsh(t, "delete", "sslcert", key) })
			before := strings.ToUpper(netsh(t, "show", "sslcert", key))
			seen := seenOf(t, use)
			if want := (usedby.Seen{Exists: true, Thumbprint: first, Store: "MY"}); seen != want {
				t.Fatalf("got %+v, want %+v", seen, want)
			}
			if err := (Machine{}).Switch(t.Context(), use, seen, myStore, second); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.ReplaceAll(before, first, second), strings.ToUpper(netsh(t, "show", "sslcert", key))); diff != "" {
				t.Error(diff)
			}
			err := Machine{}.Switch(t.Context(), use, seen, myStore, first)
			if err == nil || !strings.Contains(err.Error(), "another program has changed it") || seenOf(t, use).Thumbprint != second {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Windows only: a binding that does not exist is created for its application, and switched then as any other.
func TestAdoptCreatesABinding(t *testing.T) {
	if winetest.OnWine() {
		t.Skip("Wine has no http.sys that keeps bindings")
	}
	first, second := inMY(t), inMY(t)
	for _, use := range []usedby.Use{
		{Kind: usedby.HTTPSys, Target: "127.0.0.1:44333", Adopt: true, AppID: usedby.DefaultAppID},
		{Kind: usedby.HTTPSys, Target: "shop.example:44333", ByHost: true, Adopt: true, AppID: usedby.DefaultAppID},
	} {
		key := "ipport=" + use.Target
		if use.ByHost {
			key = "hostnameport=" + use.Target
		}
		if seen := seenOf(t, use); seen != (usedby.Seen{}) {
			t.Fatalf("%s exists: %+v", use, seen)
		}
		err := Machine{}.Switch(t.Context(), use, usedby.Seen{Exists: true}, myStore, first)
		if err == nil || !strings.Contains(err.Error(), "any more") {
			t.Errorf("a binding that was removed is switched: %v", err)
		}
		if err := (Machine{}).Switch(t.Context(), use, usedby.Seen{}, myStore, first); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { netsh(t, "delete", "sslcert", key) })
		if shown := netsh(t, "show", "sslcert", key); !strings.Contains(strings.ToLower(shown), usedby.DefaultAppID) {
			t.Errorf("netsh shows %s", shown)
		}
		if err := (Machine{}).Switch(t.Context(), use, usedby.Seen{}, myStore, second); !errors.Is(err, windows.ERROR_ALREADY_EXISTS) {
			t.Errorf("it is created again: %v", err)
		}
		if err := (Machine{}).Switch(t.Context(), use, seenOf(t, use), myStore, second); err != nil {
			t.Error(err)
		}
		if got := seenOf(t, use); got != (usedby.Seen{Exists: true, Thumbprint: second, Store: "MY"}) {
			t.Errorf("got %+v", got)
		}
	}
}
