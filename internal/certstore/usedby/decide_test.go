package usedby_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
)

const (
	older   = "0DE70DE70DE70DE70DE70DE70DE70DE70DE70DE7"
	current = "C0DEC0DEC0DEC0DEC0DEC0DEC0DEC0DEC0DEC0DE"
	foreign = "F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0F0"

	networkService = "S-1-5-20"
)

var (
	now  = time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC)
	my   = certstore.Ref{Location: certstore.LocalMachine, Name: "MY"}
	want = usedby.Want{Ref: my, Thumbprint: current, Versions: []string{older, current}, Access: certstore.KeyAccess(certstore.LocalMachine, []string{networkService})}

	site    = usedby.Use{Kind: usedby.HTTPSys, Target: "0.0.0.0:443"}
	byHost  = usedby.Use{Kind: usedby.HTTPSys, Target: "shop.example:443", ByHost: true}
	adopted = usedby.Use{Kind: usedby.HTTPSys, Target: "0.0.0.0:443", Adopt: true}
	rdp     = usedby.Use{Kind: usedby.RemoteDesktop}
	winRM   = usedby.Use{Kind: usedby.WinRM}
	sql     = usedby.Use{Kind: usedby.SQLServer, Target: "MSSQLSERVER"}
	service = usedby.Use{Kind: usedby.Service, Target: "w3svc"}
)

func TestDecide(t *testing.T) {
	limited := want
	limited.Access = certstore.KeyAccess(certstore.LocalMachine, nil)
	everyone := want
	everyone.Access = certstore.KeyAccess(certstore.LocalMachine, []string{"S-1-5-11"})
	missing := want
	missing.Thumbprint = ""
	const none = "" // no state: it is switched
	for name, test := range map[string]struct {
		use  usedby.Use
		seen usedby.Seen
		want usedby.Want
		is   string // state and reason
		says string
	}{
		"nothing is in the store yet":                 {rdp, usedby.Seen{Exists: true, Thumbprint: older}, missing, "Pending Pending", "not in the store yet, or not valid"},
		"a binding of an older version":               {site, usedby.Seen{Exists: true, Thumbprint: older, Store: "MY"}, want, none, ""},
		"a binding of the current version":            {site, usedby.Seen{Exists: true, Thumbprint: current, Store: "my"}, want, "Bound ", ""},
		"a binding that looks into another store":     {site, usedby.Seen{Exists: true, Thumbprint: current, Store: "WebHosting"}, want, none, ""},
		"a binding of somebody else":                  {site, usedby.Seen{Exists: true, Thumbprint: foreign, Store: "MY"}, want, "Failed UsesAnother", "netsh http update sslcert ipport=0.0.0.0:443 certhash=" + current + " certstorename=MY"},
		"a binding by host of somebody else":          {byHost, usedby.Seen{Exists: true, Thumbprint: foreign}, want, "Failed UsesAnother", "hostnameport=shop.example:443"},
		"adopt does not take somebody else's":         {adopted, usedby.Seen{Exists: true, Thumbprint: foreign}, want, "Failed UsesAnother", "is left alone"},
		"a binding that does not exist":               {site, usedby.Seen{}, want, "Failed UseNotFound", "http.sys has no binding 0.0.0.0:443 on this node; create it, or set adopt: true"},
		"a binding that does not exist, with adopt":   {adopted, usedby.Seen{}, want, none, ""},
		"adopt before the certificate is there":       {adopted, usedby.Seen{}, missing, "Pending Pending", ""},
		"Remote Desktop's own certificate":            {rdp, usedby.Seen{Exists: true}, want, none, ""},
		"Remote Desktop with somebody else's":         {rdp, usedby.Seen{Exists: true, Thumbprint: foreign}, want, "Failed UsesAnother", "docs/bindings.md"},
		"no Remote Desktop":                           {rdp, usedby.Seen{}, want, "Failed UseNotFound", "RDP-Tcp"},
		"no listener of WinRM":                        {winRM, usedby.Seen{}, want, "Failed UseNotFound", "WinRM"},
		"no instance":                                 {sql, usedby.Seen{}, want, "Failed UseNotFound", "no instance MSSQLSERVER"},
		"no service":                                  {service, usedby.Seen{}, want, "Failed UseNotFound", "no service w3svc"},
		"an account that may read the key":            {rdp, usedby.Seen{Exists: true, Account: "NETWORK SERVICE", SID: networkService}, want, none, ""},
		"an account that may not":                     {rdp, usedby.Seen{Exists: true, Thumbprint: older, Account: `NT SERVICE\X`, SID: networkService}, limited, "Failed KeyAccessMissing", `add "NT SERVICE\X" to spec.accounts`},
		"an account in a group that may":              {sql, usedby.Seen{Exists: true, Thumbprint: older, Account: `NT SERVICE\X`, SID: "S-1-5-80-1"}, everyone, none, ""},
		"an account whose service may":                {sql, usedby.Seen{Exists: true, Thumbprint: older, Account: `CORP\sql`, SID: "S-1-5-21-1", ServiceSID: networkService}, want, none, ""},
		"SYSTEM":                                      {sql, usedby.Seen{Exists: true, Account: "LocalSystem", SID: "S-1-5-18"}, limited, none, ""},
		"an account that may not, and has it already": {rdp, usedby.Seen{Exists: true, Thumbprint: current, SID: networkService}, limited, "Bound ", ""},
		"SQL Server that runs with the old one":       {sql, usedby.Seen{Exists: true, Thumbprint: current, RestartNeeded: true}, want, "Bound RestartNeeded", "from its next start on"},
		"a service that was not restarted":            {service, usedby.Seen{Exists: true, Thumbprint: older, RestartedAt: now.Add(-time.Hour)}, want, none, ""},
		"a service that was never restarted":          {service, usedby.Seen{Exists: true}, want, none, ""},
		"a service that was restarted":                {service, usedby.Seen{Exists: true, Thumbprint: current}, want, "Bound ", ""},
		"a service that does not run":                 {service, usedby.Seen{Exists: true, Thumbprint: older, Stopped: true, RestartedAt: now}, want, none, ""},
		"a service that does not run, noted":          {service, usedby.Seen{Exists: true, Thumbprint: current, Stopped: true}, want, "Bound ", ""},
		"a service that was restarted just now":       {service, usedby.Seen{Exists: true, Thumbprint: older, RestartedAt: now.Add(-time.Second)}, want, "Pending RestartNeeded", "less than a minute ago"},
		"a service that was restarted in the future":  {service, usedby.Seen{Exists: true, Thumbprint: older, RestartedAt: now.Add(time.Hour)}, want, none, ""},
		"a service that was left stopped":             {service, usedby.Seen{Exists: true, Thumbprint: current, Stopped: true, Interrupted: true, RestartedAt: now}, want, none, ""},
		"a service that was left stopped, too early":  {service, usedby.Seen{Exists: true, Stopped: true, Interrupted: true}, missing, none, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := usedby.Decide(test.use, test.seen, test.want, now)
			is := string(got.State) + " " + string(got.Reason)
			if got.Switch {
				is = none
			}
			if is != test.is || !strings.Contains(got.Message, test.says) {
				t.Errorf("got %+v, want %q, and a message with %q", got, test.is, test.says)
			}
		})
	}
}

// Whatever the state of the machine, a use is only switched away from nothing or from a version of this ObservedCertificate, only
// to a version that is in place, and only if the program can read its key.
func TestAUseOfSomebodyElseIsNeverSwitched(t *testing.T) {
	random := rand.New(rand.NewPCG(18, 1))
	pick := func(of ...string) string { return of[random.IntN(len(of))] }
	coin := func() bool { return random.IntN(2) == 0 }
	switched := 0
	for range 100_000 {
		use := []usedby.Use{site, byHost, adopted, rdp, winRM, sql}[random.IntN(6)]
		seen := usedby.Seen{
			Exists: coin(), Thumbprint: pick("", older, current, foreign), Store: pick("", "MY", "WebHosting"),
			SID: pick("", networkService, "S-1-5-80-7"), RestartNeeded: coin(), Stopped: coin(), RestartedAt: now,
		}
		wanted := usedby.Want{Ref: my, Thumbprint: pick("", current), Versions: []string{older, current}, Access: pick("", want.Access)}
		if !usedby.Decide(use, seen, wanted, now).Switch {
			continue
		}
		switched++
		mine := seen.Thumbprint == "" || slices.Contains(wanted.Versions, seen.Thumbprint)
		readable := seen.SID == "" || certstore.Grants(wanted.Access, seen.SID)
		switch {
		case wanted.Thumbprint == "":
			t.Fatalf("switched to nothing: %+v %+v", use, seen)
		case !seen.Exists && !use.Adopt:
			t.Fatalf("made what nobody asked for: %+v", use)
		case seen.Exists && (!mine || !readable):
			t.Fatalf("switched %+v from %+v", use, seen)
		}
	}
	if switched < 1000 {
		t.Errorf("only %d of the states led to a switch", switched)
	}
}
