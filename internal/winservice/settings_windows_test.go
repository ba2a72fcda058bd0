package winservice

import (
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/registry"

	"github.com/vaultpane/vaultpane/test/winetest"
)

func TestRecovery(t *testing.T) {
	s := newService(t, "obeys")
	s.install(t)
	opened, err := open(s.Name, windows.SERVICE_QUERY_CONFIG)
	if err != nil {
		t.Fatal(err)
	}
	defer closeService(opened)
	actions, err := opened.RecoveryActions()
	if winetest.OnWine() && errors.Is(err, windows.ERROR_INVALID_LEVEL) {
		t.Skip("Wine takes recovery actions and does not keep them")
	}
	if diff := cmp.Diff(recovery, actions); err != nil || diff != "" {
		t.Error(err, diff)
	}
	if period, err := opened.ResetPeriod(); err != nil || period != 86400 {
		t.Errorf("reset period %d s, %v", period, err)
	}
	if always, err := opened.RecoveryActionsOnNonCrashFailures(); err != nil || !always {
		t.Errorf("only after crashes: %v, %v", !always, err)
	}
}

func TestTheSourceOfEventsComesAndGoes(t *testing.T) {
	s := newService(t, "obeys")
	path := `SYSTEM\CurrentControlSet\Services\EventLog\Application\` + s.Name
	exists := func() bool {
		key, err := registry.OpenKey(registry.LOCAL_MACHINE, path, registry.QUERY_VALUE)
		if err != nil {
			return false
		}
		defer func() { _ = key.Close() }()
		types, _, err := key.GetIntegerValue("TypesSupported")
		file, _, _ := key.GetStringValue("EventMessageFile")
		if err != nil || types != 7 || filepath.Base(file) != "EventCreate.exe" {
			t.Errorf("types %d, file %q, %v", types, file, err)
		}
		return true
	}
	s.install(t)
	if !exists() {
		t.Error("it does not exist")
	}
	did(t, "uninstalled")(Uninstall(t.Context(), s.Name, io.Discard))
	if exists() {
		t.Error("it stays")
	}
}

func TestEventsAreInTheApplicationLog(t *testing.T) {
	if winetest.OnWine() {
		t.Skip("Wine drops events")
	}
	s := newService(t, "obeys")
	s.start(t)
	s.lines(t, 1)
	query := fmt.Sprintf("*[System[Provider[@Name='%s'] and EventID=%d]]", s.Name, EventStarted)
	var output []byte
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); <-time.After(interval) {
		var err error
		output, err = exec.Command("wevtutil.exe", "query-events", "Application", "/query:"+query, "/format:text").CombinedOutput()
		if err == nil && strings.Contains(string(output), "Test of vaultpane") {
			return
		}
	}
	t.Errorf("wevtutil says %s", output)
}
