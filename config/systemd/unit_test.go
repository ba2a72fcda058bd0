// Package systemd_test tests the agent's unit for systemd.
package systemd_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const unit = "vaultpane-agent.service"

// keys are those that the unit may use, and the values of those that others rely on.
var keys = map[string]map[string]string{
	"Unit": {"Description": "", "Documentation": "", "Wants": "", "After": "network-online.target", "StartLimitIntervalSec": "0"},
	"Service": {
		"Type": "exec", "ExecStart": "/usr/local/bin/vaultpane-agent run --settings /etc/vaultpane",
		"EnvironmentFile": "-/etc/vaultpane/environment", "Restart": "always", "RestartSec": "", "TimeoutStopSec": "",
		"StateDirectory": "vaultpane", "StateDirectoryMode": "0700", "UMask": "0077", "LimitCORE": "0",
		"NoNewPrivileges": "yes", "CapabilityBoundingSet": "", "ProtectSystem": "strict", "ProtectHome": "yes", "PrivateTmp": "yes",
		"PrivateDevices": "yes", "ProtectProc": "", "ProcSubset": "", "ProtectClock": "yes", "ProtectControlGroups": "yes",
		"ProtectHostname": "yes", "ProtectKernelLogs": "yes", "ProtectKernelModules": "yes", "ProtectKernelTunables": "yes",
		"RestrictAddressFamilies": "", "RestrictNamespaces": "yes", "RestrictRealtime": "yes", "RestrictSUIDSGID": "yes",
		"LockPersonality": "yes", "MemoryDenyWriteExecute": "yes", "SystemCallArchitectures": "native", "SystemCallFilter": "",
		"SystemCallErrorNumber": "EPERM",
	},
	"Install": {"WantedBy": "multi-user.target"},
}

// systemd ignores a key that it does not know, with a line in the journal, so a slip would go unnoticed.
func TestTheUnitHasKnownKeysOnly(t *testing.T) {
	section := ""
	seen := map[string]bool{}
	for _, line := range strings.Split(read(t), "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if name, found := strings.CutPrefix(line, "["); found {
			section = strings.TrimSuffix(name, "]")
			continue
		}
		key, value, _ := strings.Cut(line, "=")
		want, known := keys[section][key]
		if !known {
			t.Errorf("[%s] %s is not a key that this test knows", section, key)
		}
		if want != "" && value != want {
			t.Errorf("%s is %q, want %q", key, value, want)
		}
		seen[section+key] = true
	}
	for section, names := range keys {
		for key := range names {
			if !seen[section+key] {
				t.Errorf("[%s] %s is missing", section, key)
			}
		}
	}
}

func TestSystemdAcceptsTheUnit(t *testing.T) {
	analyze := find(t)
	// The program is not installed here.
	text := regexp.MustCompile(`(?m)^ExecStart=\S+`).ReplaceAllString(read(t), "ExecStart=/bin/true")
	file := filepath.Join(t.TempDir(), unit)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	output, err := exec.Command(analyze, "verify", "--man=no", file).CombinedOutput()
	if err != nil || strings.Contains(string(output), unit) {
		t.Errorf("systemd-analyze verify: %v\n%s", err, output)
	}
}

// The exposure is a number of systemd's own, 0 to 10, here in tenths: a unit without restrictions has 96.
func TestTheUnitIsRestricted(t *testing.T) {
	output, err := exec.Command(find(t), "security", "--offline=yes", "--threshold=20", "--no-pager", unit).CombinedOutput()
	if strings.Contains(string(output), "unrecognized option") {
		t.Skip("this systemd is older than 250")
	}
	if err != nil {
		t.Errorf("systemd-analyze security: %v\n%s", err, output)
	}
}

func find(t *testing.T) string {
	t.Helper()
	analyze, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed")
	}
	return analyze
}

func read(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile(unit)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
