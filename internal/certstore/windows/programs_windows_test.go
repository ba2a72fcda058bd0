package windows

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/windows/registry"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/internal/powershell"
	"github.com/vaultpane/vaultpane/internal/winservice"
	"github.com/vaultpane/vaultpane/test/winetest"
)

const (
	listenerKey  = `SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp`
	instancesKey = `SOFTWARE\Microsoft\Microsoft SQL Server\Instance Names\SQL`
	networkKey   = `SOFTWARE\Microsoft\Microsoft SQL Server\MSSQL99.VAULTPANE\MSSQLServer\SuperSocketNetLib`
	winrmKey     = `SOFTWARE\Microsoft\Windows\CurrentVersion\WSMAN\Listener\*+HTTPS`
	newest       = "FEDCBA9876543210FEDCBA9876543210FEDCBA98"
)

var (
	remoteDesktop = usedby.Use{Kind: usedby.RemoteDesktop, Owner: "web"}
	winRM         = usedby.Use{Kind: usedby.WinRM, Owner: "web"}
	sqlServer     = usedby.Use{Kind: usedby.SQLServer, Target: "vaultpane", Owner: "web"}
	myStore       = certstore.Ref{Location: certstore.LocalMachine, Name: "MY"}
)

// makeKey creates a key and those above it that do not exist, which the test's end removes, and returns it.
func makeKey(t *testing.T, path string) registry.Key {
	t.Helper()
	parts := strings.Split(path, `\`)
	for i := range parts {
		above := strings.Join(parts[:i+1], `\`)
		key, existed, err := registry.CreateKey(registry.LOCAL_MACHINE, above, registry.READ|registry.WRITE)
		if err != nil {
			t.Fatal(err)
		}
		if !existed {
			t.Cleanup(func() {
				if err := registry.DeleteKey(registry.LOCAL_MACHINE, above); err != nil {
					t.Error(err)
				}
			})
		}
		t.Cleanup(func() { _ = key.Close() })
		if i == len(parts)-1 {
			return key
		}
	}
	return 0
}

// withoutProgram skips a test that would change a program of this machine.
func withoutProgram(t *testing.T, path string) {
	t.Helper()
	key, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.QUERY_VALUE)
	if errors.Is(err, registry.ErrNotExist) {
		return
	}
	_ = key.Close()
	t.Skipf(`this machine has HKLM\%s`, path)
}

// values are all values of a key.
func values(t *testing.T, key registry.Key) map[string]string {
	t.Helper()
	names, err := key.ReadValueNames(0)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, name := range names {
		data := make([]byte, 1024)
		n, kind, err := key.GetValue(name, data)
		if err != nil {
			t.Fatal(err)
		}
		found[name] = hex.EncodeToString(append([]byte{byte(kind)}, data[:n]...))
	}
	return found
}

// listener returns the key of Remote Desktop's listener, whose certificate the test's end restores. Nobody can connect with the
// certificates of the test, so it does not leave them there for long.
func listener(t *testing.T) registry.Key {
	t.Helper()
	key := makeKey(t, listenerKey)
	was, _, err := key.GetBinaryValue("SSLCertificateSHA1Hash")
	t.Cleanup(func() {
		if err != nil {
			_ = key.DeleteValue("SSLCertificateSHA1Hash") // it may have none
			return
		}
		if err := key.SetBinaryValue("SSLCertificateSHA1Hash", was); err != nil {
			t.Error(err)
		}
	})
	return key
}

func bytesOf(t *testing.T, thumbprint string) []byte {
	t.Helper()
	data, err := hex.DecodeString(thumbprint)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// seenOf reads a use.
func seenOf(t *testing.T, use usedby.Use) usedby.Seen {
	t.Helper()
	seen, err := Machine{}.Read(use)
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

func TestRemoteDesktop(t *testing.T) {
	key := listener(t)
	if err := key.SetBinaryValue("SSLCertificateSHA1Hash", bytesOf(t, oldThumbprint)); err != nil {
		t.Fatal(err)
	}
	before := values(t, key)
	seen := seenOf(t, remoteDesktop)
	want := usedby.Seen{Exists: true, Thumbprint: oldThumbprint, Account: `NT AUTHORITY\NETWORK SERVICE`, SID: "S-1-5-20"}
	if winetest.OnWine() { // whose TermService runs as SYSTEM
		want.Account, want.SID = `NT AUTHORITY\SYSTEM`, "S-1-5-18"
	}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
	if bound, err := (Machine{}).Bindings(); err != nil || !slices.Contains(bound[oldThumbprint], "Remote Desktop") {
		t.Errorf("bindings are %v (%v)", bound, err)
	}
	if err := (Machine{}).Switch(t.Context(), remoteDesktop, seen, myStore, newThumbprint); err != nil {
		t.Fatal(err)
	}
	before["SSLCertificateSHA1Hash"] = hex.EncodeToString(append([]byte{registry.BINARY}, bytesOf(t, newThumbprint)...))
	if diff := cmp.Diff(before, values(t, key)); diff != "" {
		t.Error(diff)
	}
	// What was seen is no longer there.
	err := Machine{}.Switch(t.Context(), remoteDesktop, seen, myStore, newest)
	if err == nil || !strings.Contains(err.Error(), "another program has changed it") {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(before, values(t, key)); diff != "" {
		t.Error(diff)
	}
}

func TestAListenerOfRemoteDesktopWithoutACertificate(t *testing.T) {
	key := listener(t)
	_ = key.DeleteValue("SSLCertificateSHA1Hash") // it may have none
	if seen := seenOf(t, remoteDesktop); !seen.Exists || seen.Thumbprint != "" {
		t.Errorf("without the value: %+v", seen)
	}
	for _, length := range []int{0, 19, 32} {
		if err := key.SetBinaryValue("SSLCertificateSHA1Hash", bytes.Repeat([]byte{1}, length)); err != nil {
			t.Fatal(err)
		}
		if seen := seenOf(t, remoteDesktop); !seen.Exists || seen.Thumbprint != "" {
			t.Errorf("%d bytes: %+v", length, seen)
		}
	}
	if err := (Machine{}).Switch(t.Context(), remoteDesktop, usedby.Seen{Exists: true}, myStore, newThumbprint); err != nil {
		t.Error(err)
	}
	if got := seenOf(t, remoteDesktop).Thumbprint; got != newThumbprint {
		t.Errorf("got %q", got)
	}
	if err := key.SetStringValue("SSLCertificateSHA1Hash", oldThumbprint); err != nil {
		t.Fatal(err)
	}
	if _, err := (Machine{}).Read(remoteDesktop); err == nil || !strings.Contains(err.Error(), listenerKey) {
		t.Errorf("a value of another type: %v", err)
	}
	if _, err := (Machine{}).Bindings(); err == nil {
		t.Error("with a value of another type, bindings are known")
	}
}

// instance makes an instance of SQL Server with a certificate, and returns the key of its network settings.
func instance(t *testing.T, certificate string) registry.Key {
	t.Helper()
	withoutProgram(t, instancesKey)
	names, network := makeKey(t, instancesKey), makeKey(t, networkKey)
	if err := names.SetStringValue("VAULTPANE", "MSSQL99.VAULTPANE"); err != nil {
		t.Fatal(err)
	}
	if err := network.SetStringValue("Certificate", certificate); err != nil {
		t.Fatal(err)
	}
	if err := network.SetDWordValue("ForceEncryption", 1); err != nil {
		t.Fatal(err)
	}
	return network
}

func TestSQLServer(t *testing.T) {
	key := instance(t, strings.ToLower(oldThumbprint))
	before := values(t, key)
	seen := seenOf(t, sqlServer)
	if want := (usedby.Seen{Exists: true, Thumbprint: oldThumbprint}); seen != want { // it has no service
		t.Errorf("got %+v, want %+v", seen, want)
	}
	if bound, err := (Machine{}).Bindings(); err != nil || !slices.Contains(bound[oldThumbprint], "SQL Server VAULTPANE") {
		t.Errorf("bindings are %v (%v)", bound, err)
	}
	if err := (Machine{}).Switch(t.Context(), sqlServer, seen, myStore, newThumbprint); err != nil {
		t.Fatal(err)
	}
	after := values(t, key)
	if text, kind, err := key.GetStringValue("Certificate"); err != nil || kind != registry.SZ || text != strings.ToLower(newThumbprint) {
		t.Errorf("the value is %q (%d, %v)", text, kind, err)
	}
	delete(before, "Certificate")
	delete(after, "Certificate")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Error(diff)
	}
	err := Machine{}.Switch(t.Context(), sqlServer, seen, myStore, newest)
	if err == nil || !strings.Contains(err.Error(), "another program has changed it") || seenOf(t, sqlServer).Thumbprint != newThumbprint {
		t.Errorf("got %v", err)
	}
	for text, want := range map[string]string{
		"": "", "\u200eFE dc BA 98 76 54 32 10 fe dc ba 98 76 54 32 10 fe dc ba 98": newest, "none of ours": "NONEOFOURS",
	} {
		if err := key.SetStringValue("Certificate", text); err != nil {
			t.Fatal(err)
		}
		if got := seenOf(t, sqlServer).Thumbprint; got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

func TestInstancesThatDoNotExist(t *testing.T) {
	if seen := seenOf(t, usedby.Use{Kind: usedby.SQLServer, Target: "VAULTPANE1"}); seen != (usedby.Seen{}) {
		t.Errorf("on a machine without SQL Server: %+v", seen)
	}
	_ = instance(t, "")
	if seen := seenOf(t, usedby.Use{Kind: usedby.SQLServer, Target: "VAULTPANE1"}); seen != (usedby.Seen{}) {
		t.Errorf("on a machine with another instance: %+v", seen)
	}
	key := makeKey(t, instancesKey)
	if err := key.SetStringValue("VAULTPANE1", "MSSQL99.VAULTPANE1"); err != nil {
		t.Fatal(err)
	}
	if seen := seenOf(t, usedby.Use{Kind: usedby.SQLServer, Target: "VAULTPANE1"}); seen != (usedby.Seen{}) {
		t.Errorf("without network settings: %+v", seen)
	}
	if err := key.SetStringValue("VAULTPANE1", `MSSQL99.VAULTPANE\MSSQLServer`); err != nil {
		t.Fatal(err)
	}
	if _, err := (Machine{}).Read(usedby.Use{Kind: usedby.SQLServer, Target: "VAULTPANE1"}); err == nil || !strings.Contains(err.Error(), "not the id of an instance") {
		t.Errorf("an id with a path: %v", err)
	}
}

func TestWinRM(t *testing.T) {
	if !winetest.OnWine() {
		t.Skip("WinRM would find half a listener")
	}
	if seen := seenOf(t, winRM); seen != (usedby.Seen{}) {
		t.Errorf("without a listener: %+v", seen)
	}
	key := makeKey(t, winrmKey)
	if err := key.SetStringValue("certThumbprint", "01 23 45 67 89 ab cd ef 01 23 45 67 89 ab cd ef 01 23 45 67"); err != nil {
		t.Fatal(err)
	}
	seen := seenOf(t, winRM)
	if want := (usedby.Seen{Exists: true, Thumbprint: oldThumbprint}); seen != want {
		t.Errorf("got %+v, want %+v", seen, want)
	}
	if bound, err := (Machine{}).Bindings(); err != nil || !slices.Contains(bound[oldThumbprint], "WinRM HTTPS") {
		t.Errorf("bindings are %v (%v)", bound, err)
	}
	before := values(t, key)
	err := Machine{}.Switch(t.Context(), winRM, seen, myStore, newThumbprint)
	if !errors.Is(err, powershell.ErrUnavailable) || !strings.Contains(err.Error(), "Set-WSManInstance") {
		t.Errorf("got %v", err)
	}
	if diff := cmp.Diff(before, values(t, key)); diff != "" {
		t.Error(diff)
	}
	err = Machine{}.Switch(t.Context(), winRM, usedby.Seen{Exists: true, Thumbprint: newest}, myStore, newThumbprint)
	if err == nil || !strings.Contains(err.Error(), "another program has changed it") {
		t.Errorf("got %v", err)
	}
}

// The spec's rules may be bypassed. Whatever a use has in it, no other value is written, and no service stopped.
func TestUsesThatAreNone(t *testing.T) {
	records := makeKey(t, `SOFTWARE\Vaultpane\Services`)
	before, err := records.ReadSubKeyNames(-1)
	if err != nil {
		t.Fatal(err)
	}
	for name, use := range map[string]usedby.Use{
		"no kind":                      {},
		"a kind of the future":         {Kind: "exchange"},
		"a path of an instance":        {Kind: usedby.SQLServer, Target: `..\..\Windows`},
		"an instance in another key":   {Kind: usedby.SQLServer, Target: `MSSQLSERVER\MSSQLServer`},
		"no instance":                  {Kind: usedby.SQLServer},
		"a path of a service":          {Kind: usedby.Service, Target: `..\Run`, Owner: "web"},
		"a key below a service's":      {Kind: usedby.Service, Target: `TermService\Certificates`, Owner: "web"},
		"a service's name with an end": {Kind: usedby.Service, Target: "TermService\x00", Owner: "web"},
		"no service":                   {Kind: usedby.Service, Owner: "web"},
		"a service without an owner":   {Kind: usedby.Service, Target: "TermService"},
		"a binding without a port":     {Kind: usedby.HTTPSys, Target: "0.0.0.0"},
		"a host with a path":           {Kind: usedby.HTTPSys, Target: `shop\x:443`, ByHost: true},
	} {
		t.Run(name, func(t *testing.T) {
			if seen, err := (Machine{}).Read(use); err == nil {
				t.Errorf("read %+v", seen)
			}
			if err := (Machine{}).Switch(t.Context(), use, usedby.Seen{Exists: true}, myStore, newThumbprint); err == nil {
				t.Error("switched")
			}
			use.Adopt, use.AppID = true, usedby.DefaultAppID
			if err := (Machine{}).Switch(t.Context(), use, usedby.Seen{}, myStore, newThumbprint); err == nil {
				t.Error("created")
			}
		})
	}
	after, err := records.ReadSubKeyNames(-1)
	if diff := cmp.Diff(before, after); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

func TestWhatIsNotACertificateOfTheProgramsStore(t *testing.T) {
	key := listener(t)
	if err := key.SetBinaryValue("SSLCertificateSHA1Hash", bytesOf(t, oldThumbprint)); err != nil {
		t.Fatal(err)
	}
	_ = instance(t, oldThumbprint)
	seen := usedby.Seen{Exists: true, Thumbprint: oldThumbprint}
	for _, use := range []usedby.Use{remoteDesktop, sqlServer} {
		for name, test := range map[string]struct {
			ref        certstore.Ref
			thumbprint string
		}{
			"another store":      {certstore.Ref{Location: certstore.LocalMachine, Name: "WebHosting"}, newThumbprint},
			"another location":   {certstore.Ref{Location: certstore.CurrentUser, Name: "MY"}, newThumbprint},
			"no thumbprint":      {myStore, ""},
			"half a thumbprint":  {myStore, newThumbprint[:20]},
			"text":               {myStore, strings.Repeat("z", 40)},
			"with a line's end ": {myStore, newThumbprint + "\n"},
		} {
			if err := (Machine{}).Switch(t.Context(), use, seen, test.ref, test.thumbprint); err == nil {
				t.Errorf("%s is switched to %s", use, name)
			}
			if got := seenOf(t, use).Thumbprint; got != oldThumbprint {
				t.Errorf("%s: %s has %s", name, use, got)
			}
		}
	}
}

func TestAMachineWithoutPrograms(t *testing.T) {
	if !winetest.OnWine() {
		t.Skip("Windows may have them")
	}
	for _, use := range []usedby.Use{
		remoteDesktop, winRM, sqlServer, {Kind: usedby.HTTPSys, Target: "0.0.0.0:443"},
		{Kind: usedby.HTTPSys, Target: "shop.example:443", ByHost: true}, {Kind: usedby.Service, Target: "nothing", Owner: "web"},
	} {
		if seen := seenOf(t, use); seen != (usedby.Seen{}) {
			t.Errorf("%s: %+v", use, seen)
		}
	}
	// Wine's function succeeds and does nothing.
	use := usedby.Use{Kind: usedby.HTTPSys, Target: "0.0.0.0:443", Adopt: true, AppID: usedby.DefaultAppID}
	if err := (Machine{}).Switch(t.Context(), use, usedby.Seen{}, myStore, newThumbprint); err == nil {
		t.Error("a binding is created")
	}
}

// An instance that runs since before its settings were written has not read them.
func TestSQLServerNeedsARestart(t *testing.T) {
	key := instance(t, oldThumbprint)
	service := runningService(t, "MSSQL$VAULTPANE")
	if seen := seenOf(t, sqlServer); seen.RestartNeeded || seen.SID != "S-1-5-18" {
		t.Errorf("it started after the settings were written: %+v", seen)
	}
	if err := (Machine{}).Switch(t.Context(), sqlServer, seenOf(t, sqlServer), myStore, newThumbprint); err != nil {
		t.Fatal(err)
	}
	if seen := seenOf(t, sqlServer); !seen.RestartNeeded {
		t.Errorf("it runs since before the switch: %+v", seen)
	}
	restart := usedby.Use{Kind: usedby.Service, Target: service, Owner: "web"}
	if err := (Machine{}).Switch(t.Context(), restart, seenOf(t, restart), myStore, newThumbprint); err != nil {
		t.Fatal(err)
	}
	if seen := seenOf(t, restart); seen.Thumbprint != newThumbprint || seen.Stopped || seen.RestartedAt.IsZero() {
		t.Errorf("the service is %+v", seen)
	}
	if seen := seenOf(t, sqlServer); seen.RestartNeeded || seen.Thumbprint != newThumbprint {
		t.Errorf("it started after the switch: %+v", seen)
	}
	if _, err := winservice.Stop(t.Context(), service, io.Discard); err != nil {
		t.Fatal(err)
	}
	if err := key.SetDWordValue("ForceEncryption", 0); err != nil {
		t.Fatal(err)
	}
	if seen := seenOf(t, sqlServer); seen.RestartNeeded {
		t.Error("an instance that does not run needs a restart")
	}
}

// runningService starts a service, which the test's end removes with its record.
func runningService(t *testing.T, name string) string {
	t.Helper()
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := winservice.Uninstall(context.Background(), name, io.Discard); err != nil {
			t.Error(err)
		}
		for _, path := range []string{`\Certificates`, ""} {
			if err := registry.DeleteKey(registry.LOCAL_MACHINE, `SOFTWARE\Vaultpane\Services\`+name+path); err != nil && !errors.Is(err, registry.ErrNotExist) {
				t.Error(err)
			}
		}
	})
	if _, err := winservice.Install(winservice.Config{Name: name, Executable: executable, Arguments: []string{asService, name}}); err != nil {
		t.Fatal(err)
	}
	if _, err := winservice.Start(t.Context(), name, io.Discard); err != nil {
		t.Fatal(err)
	}
	return name
}
