package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/cmd/internal/cli"
	"github.com/vaultpane/vaultpane/internal/machinelock"
	"github.com/vaultpane/vaultpane/internal/standalone"
	"github.com/vaultpane/vaultpane/test/winetest"
)

// stateFolder is a machine's state and store, of an agent that does not run.
type stateFolder struct {
	t          *testing.T
	dir, store string
}

func newStateFolder(t *testing.T) stateFolder {
	t.Helper()
	dir := winetest.TempDir(t)
	return stateFolder{t, filepath.Join(dir, "state"), filepath.Join(dir, "store")}
}

// write writes a state as an agent does that wrote last at this time.
func (f stateFolder) write(renewed time.Time, problems string, entries ...v1alpha1.CertificateEntry) {
	f.t.Helper()
	state := v1alpha1.NodeCertificateState{ObjectMeta: metav1.ObjectMeta{Name: "vm", Annotations: map[string]string{
		"vaultpane.dev/renewed-at": renewed.UTC().Format(time.RFC3339), "vaultpane.dev/settings-problems": problems,
	}}, Certificates: entries}
	text, err := yaml.Marshal(state)
	if err == nil {
		err = os.MkdirAll(f.dir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(standalone.StatePath(f.dir), text, 0o600)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// run runs a command of the agent, and returns what it prints and its exit code.
func (f stateFolder) run(arguments ...string) (string, int) {
	f.t.Helper()
	var out strings.Builder
	err := run(append(arguments, "--state", f.dir, "--store-path", f.store), &out, &out)
	code := cli.ExitCode("vaultpane-agent", err, &out)
	return out.String(), code
}

var (
	expires = metav1.NewTime(time.Date(2027, 3, 1, 12, 0, 0, 0, time.UTC))
	well    = v1alpha1.CertificateEntry{Name: "web", Generation: 1, Version: "v1", Thumbprint: "AA", NotAfter: &expires}
	failing = v1alpha1.CertificateEntry{Name: "api", Generation: 1, State: v1alpha1.StateFailed, Reason: v1alpha1.ReasonAccessDenied, Message: "the vault refuses\x1b[31m", Since: &expires}
)

func TestStatusWithoutAnAgentEndsWithTwo(t *testing.T) {
	f := newStateFolder(t)
	if out, code := f.run("status"); code != 2 || !strings.Contains(out, "no agent runs here, and none has left a state in "+f.dir) {
		t.Errorf("without a state: exit code %d, %s", code, out)
	}
	f.write(time.Now(), "", well)
	if out, code := f.run("status"); code != 2 || !strings.Contains(out, "this is what it wrote last") || !strings.Contains(out, "AA") {
		t.Errorf("with one: exit code %d, %s", code, out)
	}
	if out, code := f.run("poll"); code != 2 || !strings.Contains(out, "no agent runs here: start it with") {
		t.Errorf("poll: exit code %d, %s", code, out)
	}
	if out, code := f.run("status", "-o", "xml"); code != 2 || !strings.Contains(out, `--output is "xml", must be wide, json or yaml`) {
		t.Errorf("another output: exit code %d, %s", code, out)
	}
}

// The lock of a machine cannot be given back, so this test has all that needs a running agent.
func TestStatusOfARunningAgent(t *testing.T) {
	f := newStateFolder(t)
	if err := machinelock.Acquire(t.Context(), f.store); err != nil {
		t.Fatal(err)
	}
	if out, code := f.run("status"); code != 2 || !strings.Contains(out, "it is the agent of a cluster") {
		t.Errorf("without a state: exit code %d, %s", code, out)
	}
	now := time.Now()
	for _, test := range []struct {
		name      string
		renewed   time.Time
		problems  string
		entries   []v1alpha1.CertificateEntry
		arguments []string
		code      int
		want      string
	}{
		{"all is well", now, "", []v1alpha1.CertificateEntry{well}, nil, 0, `NAME   STATE       REASON   THUMBPRINT   EXPIRES
web    Installed   -        AA           2027-03-01T12:00:00Z
`},
		{"no certificate", now, "", nil, nil, 0, "No certificates.\n"},
		{"one fails", now, "", []v1alpha1.CertificateEntry{failing, well}, []string{"-o", "wide"}, 1, `NAME   STATE       REASON         THUMBPRINT   EXPIRES                VERSION   SINCE
api    Failed      AccessDenied   -            -                      -         2027-03-01T12:00:00Z
web    Installed   -              AA           2027-03-01T12:00:00Z   v1        -

api: the vault refuses
`},
		{"the settings are wrong", now, "a.json:1: one\nb.json:2: two", nil, nil, 1, "No certificates.\n\na.json:1: one\nb.json:2: two\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f.write(test.renewed, test.problems, test.entries...)
			out, code := f.run(append([]string{"status"}, test.arguments...)...)
			if diff := cmp.Diff(test.want, out); diff != "" || code != test.code {
				t.Errorf("exit code %d, want %d; the output differs:\n%s", code, test.code, diff)
			}
		})
	}
	f.write(now.Add(-time.Hour), "", well)
	if out, code := f.run("status"); code != 1 || !strings.Contains(out, "has not written its state since at ") {
		t.Errorf("a silent agent: exit code %d, %s", code, out)
	}
	f.write(now, "", well)
	if out, code := f.run("status", "-o", "json"); code != 0 || !strings.Contains(out, `"thumbprint": "AA"`) {
		t.Errorf("JSON: exit code %d, %s", code, out)
	}
	if out, code := f.run("poll", "none"); code != 2 || !strings.Contains(out, `there is no certificate "none" here; there are: web`) {
		t.Errorf("an unknown name: exit code %d, %s", code, out)
	}
	f.write(now, "", v1alpha1.CertificateEntry{Name: "web", State: v1alpha1.StateSuspended, Reason: v1alpha1.ReasonSuspended})
	if out, code := f.run("poll"); code != 0 || out != "poll: there is no certificate to poll\n" {
		t.Errorf("a suspended one: exit code %d, %s", code, out)
	}
	if out, code := f.run("poll", "web"); code != 2 || !strings.Contains(out, "is suspended, and is not polled") {
		t.Errorf("a suspended one by name: exit code %d, %s", code, out)
	}
	f.write(now, "a.json:1: wrong")
	if out, code := f.run("poll"); code != 1 || !strings.Contains(out, "a.json:1: wrong") {
		t.Errorf("wrong settings: exit code %d, %s", code, out)
	}
	f.write(now, "", well)
	if out, code := f.run("poll", "--wait", "1ms"); code != 1 || !strings.Contains(out, "no result within 1ms for web") {
		t.Errorf("an agent that does not answer: exit code %d, %s", code, out)
	}
	answered := well
	answered.RequestedAt = now.Add(time.Minute).UTC().Format(time.RFC3339)
	f.write(now, "", answered)
	if out, code := f.run("poll", "web"); code != 0 || out != "web: Installed, AA\n" {
		t.Errorf("an answer: exit code %d, %s", code, out)
	}
}

func TestWhatRunAndExecRefuse(t *testing.T) {
	for _, test := range []struct {
		name      string
		arguments []string
		code      int
		says      string
	}{
		{"no settings", []string{"run"}, 1, "--settings is missing, must be a file or a folder of settings"},
		{"a label that is none", []string{"run", "--settings", "x", "--node-labels", "no label=x"}, 1, `--node-labels has no label=x, which is not a label`},
		{"the state as settings", []string{"run", "--settings", "x", "--state", "x"}, 1, "which is also --state: the state would be read as settings"},
		{"no program", []string{"exec", "--settings", "x"}, 125, "there is no program to start: write it after --"},
		{"a negative wait", []string{"exec", "--settings", "x", "--wait", "-1s", "--", "true"}, 125, "--wait is -1s, must not be negative"},
		{"exec without settings", []string{"exec", "--", "true"}, 125, "--settings is missing"},
		{"a service's command that does not exist", []string{"service", "restart"}, 1, `service "restart" is not a command: use install`},
		{"a service without settings", []string{"service", "install"}, 1, "--settings is missing"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var out strings.Builder
			err := run(test.arguments, io.Discard, &out)
			if code := cli.ExitCode("vaultpane-agent", err, &out); code != test.code || !strings.Contains(out.String(), test.says) {
				t.Errorf("exit code %d, want %d; it says %q, want %q in it", code, test.code, out.String(), test.says)
			}
		})
	}
}

func TestTheServiceGetsTheFlagsOfItsInstallation(t *testing.T) {
	t.Setenv("VAULTPANE_WORKERS", "3")
	var s serviceOptions
	arguments := []string{"--settings", "a.json", "b", "--ca-bundle", "ca.pem", "--allowed-vault-hosts", "x.example,y.example", "--node-labels", "a=b", "--service-name", "mine", "--health-probe-bind-address", "[::1]:9465"}
	if err := s.parseMachine(s.command("install"), arguments, os.LookupEnv, io.Discard); err != nil {
		t.Fatal(err)
	}
	a, errA := filepath.Abs("a.json")
	b, errB := filepath.Abs("b")
	ca, errCA := filepath.Abs("ca.pem")
	want := []string{
		"run", "--as-service=mine", "--settings=" + a, "--settings=" + b, "--allowed-vault-hosts=x.example,y.example", "--ca-bundle=" + ca,
		"--health-probe-bind-address=[::1]:9465", "--node-labels=a=b", "--workers=3",
	}
	if diff := cmp.Diff(want, s.arguments()); diff != "" || errors.Join(errA, errB, errCA) != nil {
		t.Error(diff)
	}
	var o options
	if err := o.parseMachine(o.runCommand(), s.arguments()[1:], os.LookupEnv, io.Discard); err != nil || o.service != "mine" || o.Workers != 3 || len(o.Azure.AllowedVaultHosts) != 2 {
		t.Errorf("it runs as %+v, error %v", o, err)
	}
}
