package e2emachine

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Keys of the programs of the test.
const (
	desktopKey  = `HKLM\SYSTEM\CurrentControlSet\Control\Terminal Server\WinStations\RDP-Tcp`
	sqlKey      = `HKLM\SOFTWARE\Microsoft\Microsoft SQL Server`
	shopKey     = sqlKey + `\MSSQL16.SHOP\MSSQLServer\SuperSocketNetLib`
	foreignKey  = sqlKey + `\MSSQL16.FOREIGN\MSSQLServer\SuperSocketNetLib`
	recordKey   = `HKLM\SOFTWARE\Vaultpane\Services\MSSQL$SHOP`
	shopService = "MSSQL$SHOP"
	unlisted    = "unlisted"
)

// foreignHash is the certificate of somebody else.
var foreignHash = strings.Repeat("0f", 20)

// usedBy are the programs that use the certificate of the test.
const usedBy = `  revisionHistoryLimit: 0
  usedBy:
    - remoteDesktop: {}
    - sqlServer: {instance: shop}
    - sqlServer: {instance: FOREIGN}
    - service: {name: MSSQL$SHOP, action: Restart}
    - service: {name: unlisted, action: Restart}
`

// The agent is killed in the middle of each renewal.
func TestProgramsFollowTenRenewalsInOrder(t *testing.T) {
	if native() {
		t.Skip("Remote Desktop, SQL Server and services exist on Windows only")
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	h := newHost(t)
	h.installPrograms(t, "followed")
	before := h.programKeys(t)
	watch := h.watchPrograms(t)
	one := wish{name: "followed", interval: month, more: usedBy}
	versions := []string{put(t, one.name)}
	h.write(t, "a.yaml", manifest(one))
	h.startAllowed(t)
	h.followed(t, versions[0])
	for range 10 {
		h.aMinutePasses(t)
		versions = append(versions, rotate(t, one.name))
		one.requested = time.Now().UTC().Format(time.RFC3339Nano)
		h.write(t, "a.yaml", manifest(one))
		moment := time.NewTimer(settling + time.Duration(random.Int64N(int64(2500*time.Millisecond))))
		<-moment.C
		h.startAllowed(t) // kills the one that runs
		h.followed(t, versions[len(versions)-1])
	}
	watch.sawPrograms(t, versions)
	h.servedInOrder(t, shopService, versions)
	h.servedInOrder(t, unlisted, nil)
	if diff := cmp.Diff(before, h.programKeys(t)); diff != "" {
		t.Error(diff)
	}
}

// installPrograms makes what Windows and SQL Server have, and installs services that read the certificate of a name.
func (h *host) installPrograms(t *testing.T, name string) {
	t.Helper()
	for _, value := range [][]string{
		{desktopKey, "PortNumber", "REG_DWORD", "3389"},
		{desktopKey, "SecurityLayer", "REG_DWORD", "2"},
		{sqlKey + `\Instance Names\SQL`, "SHOP", "REG_SZ", "MSSQL16.SHOP"},
		{sqlKey + `\Instance Names\SQL`, "FOREIGN", "REG_SZ", "MSSQL16.FOREIGN"},
		{shopKey, "Certificate", "REG_SZ", ""},
		{shopKey, "ForceEncryption", "REG_DWORD", "1"},
		{foreignKey, "Certificate", "REG_SZ", foreignHash},
	} {
		if _, err := h.Registry(t.Context(), "add", value[0], "/v", value[1], "/t", value[2], "/d", value[3], "/f"); err != nil {
			t.Fatal(err)
		}
	}
	for _, service := range []string{shopService, unlisted} {
		log := filepath.Join(h.dir, "install.log")
		installer, err := h.StartProgram(env.witness, log, nil, "install", service, name+".example.com", h.Path(h.journal(service)))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(installer.Kill)
		eventually(t, "the service "+service+" runs", func() (bool, error) {
			_, err := os.Stat(h.journal(service))
			return err == nil, nil
		})
	}
}

func (h *host) journal(service string) string { return filepath.Join(h.dir, "journal-"+service) }

func (h *host) startAllowed(t *testing.T) {
	t.Helper()
	h.start(t, "run", "--allowed-services=w3svc,mssql$shop")
}

// certificateLine matches the values that a switch changes, as reg prints them.
var certificateLine = regexp.MustCompile(`(?m)^ +(SSLCertificateSHA1Hash +REG_BINARY|Certificate +REG_SZ).*\n`)

// programKeys is everything in the keys of the programs, without the certificates that are switched.
func (h *host) programKeys(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, key := range []string{desktopKey, sqlKey, foreignKey} {
		text, err := h.Registry(context.WithoutCancel(t.Context()), "query", key, "/s")
		if err != nil {
			t.Fatal(err)
		}
		text = strings.ReplaceAll(text, "\r", "")
		if key != foreignKey {
			text = certificateLine.ReplaceAllString(text, "")
		} else if !strings.Contains(text, foreignHash) {
			t.Errorf("the certificate of somebody else is not there: %s", text)
		}
		found[key] = text
	}
	return found
}

// aMinutePasses lets a service be restarted again at once: without its last restart in the registry.
func (h *host) aMinutePasses(t *testing.T) {
	t.Helper()
	if _, err := h.Registry(t.Context(), "delete", recordKey, "/v", "RestartedAt", "/f"); err != nil {
		t.Fatal(err)
	}
}

// followed waits until the programs have a version, and the store has no other.
func (h *host) followed(t *testing.T, thumbprint string) {
	t.Helper()
	want := map[string]v1alpha1.UseState{
		"remoteDesktop": {State: v1alpha1.UseBound}, "sqlServer shop": {State: v1alpha1.UseBound}, "service MSSQL$SHOP": {State: v1alpha1.UseBound},
		"sqlServer FOREIGN": {State: v1alpha1.UseFailed, Reason: v1alpha1.ReasonUsesAnother},
		"service unlisted":  {State: v1alpha1.UseFailed, Reason: v1alpha1.ReasonServiceNotAllowed},
	}
	eventually(t, "the programs have "+thumbprint, func() (bool, error) {
		entries, err := h.entries(t)
		if err != nil {
			return false, err
		}
		entry, got := entries["followed"], map[string]v1alpha1.UseState{}
		for _, use := range entry.Uses {
			got[use.Name] = v1alpha1.UseState{State: use.State, Reason: use.Reason}
		}
		if diff := cmp.Diff(want, got); diff != "" || entry.Thumbprint != thumbprint {
			return false, fmt.Errorf("the state is %+v: %s", entry, diff)
		}
		return true, nil
	})
	h.holds(t, "followed", thumbprint)
}

// watchPrograms starts to observe which certificates the programs are configured with.
func (h *host) watchPrograms(t *testing.T) observer {
	t.Helper()
	return h.observe(t, "programs", "MSSQL16.SHOP")
}

// sawPrograms checks that the observer has seen every version in order, each of them in the store with its key.
func (o observer) sawPrograms(t *testing.T, versions []string) {
	t.Helper()
	var seen struct {
		Looks                              int
		RemoteDesktop, SQLServer, Problems []string
	}
	o.end(t, &seen)
	t.Logf("the observer has looked %d times", seen.Looks)
	if seen.Looks < 300 {
		t.Error("it has looked too few times to say anything")
	}
	for name, got := range map[string][]string{"Remote Desktop": seen.RemoteDesktop, "SQL Server": seen.SQLServer} {
		if diff := cmp.Diff(versions, got); diff != "" {
			t.Errorf("%s had: %s", name, diff)
		}
	}
	for _, problem := range seen.Problems {
		t.Errorf("the observer saw: %s", problem)
	}
}

// servedInOrder checks that a service, each time that it started, found the same newest version as before or a newer one, and at last
// has had each. Before the first version it started once; without versions it was not started again.
func (h *host) servedInOrder(t *testing.T, service string, versions []string) {
	t.Helper()
	text, err := os.ReadFile(h.journal(service))
	if err != nil {
		t.Fatal(err)
	}
	starts := strings.Split(strings.TrimSpace(string(text)), "\n")
	t.Logf("the service %s was started %d times", service, len(starts))
	if starts[0] != "has" && starts[0] != "has " {
		t.Errorf("at first it had a certificate: %s", starts[0])
	}
	var had []int
	for _, line := range starts[1:] {
		newest := -1
		for _, thumbprint := range strings.Fields(line)[1:] {
			newest = max(newest, slices.Index(versions, thumbprint))
		}
		had = append(had, newest)
	}
	want := make([]int, len(versions))
	for i := range want {
		want[i] = i
	}
	if !slices.IsSorted(had) || !slices.Equal(slices.Compact(slices.Clone(had)), want) {
		t.Errorf("the service %s found %v when it started, want each of %d versions in order:\n%s", service, had, len(versions), text)
	}
}
