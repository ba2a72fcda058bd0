package windows

import (
	"os/exec"
	"slices"
	"testing"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/storetest"
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
