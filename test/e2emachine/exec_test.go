package e2emachine

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// exec returns the command line of a program beside the agent.
func (h *host) exec(flags []string, program ...string) []string {
	return append(append(append([]string{"exec"}, flags...), "--"), program...)
}

func (h *host) witness() string { return h.Path(env.witness) }

func TestTheProgramStartsWithItsCertificateAndSeesTheRenewal(t *testing.T) {
	h := newHost(t)
	first := put(t, "served")
	env.shop.Latency(time.Second)
	h.write(t, "a.yaml", simple(t, "served"))
	h.start(t, h.exec(nil, h.witness(), "renewal", "served.example.com", "42")...)
	h.logged(t, "witness: has "+first) // it would have ended if it had not been there
	env.shop.Heal()
	second := rotate(t, "served")
	h.poll(t, 0)
	h.logged(t, "witness: renewed to "+second)
	eventually(t, "the agent ends with its program", func() (bool, error) { return !h.agent.Running(), nil })
	if code := h.agent.ExitCode(); code != 42 {
		t.Errorf("the exit code is %d, want the program's, 42", code)
	}
	h.status(t, 2, second)
	h.stillHolds(t, "served", first, second)
}

func TestWithoutItsCertificateTheProgramDoesNotStart(t *testing.T) {
	h := newHost(t)
	h.write(t, "a.yaml", simple(t, "not-there"))
	got := h.tool(t, h.exec([]string{"--wait=3s"}, h.witness(), "end", "5")...)
	if got.code != 124 || got.stdout != "" {
		t.Errorf("exit code %d, stdout %q; want 124 and no output of the program", got.code, got.stdout)
	}
	for _, reason := range []string{"not-there", "SecretNotFound", "--start-anyway"} {
		if !strings.Contains(got.stderr, reason) {
			t.Errorf("stderr does not say %s: %s", reason, got.stderr)
		}
	}
}

func TestStartAnywayStartsTheProgramWithoutItsCertificate(t *testing.T) {
	h := newHost(t)
	h.write(t, "a.yaml", simple(t, "not-there"))
	got := h.tool(t, h.exec([]string{"--wait=2s", "--start-anyway"}, h.witness(), "end", "5")...)
	if got.code != 5 || got.stdout != "witness: started" || !strings.Contains(got.stderr, "SecretNotFound") {
		t.Errorf("got %+v, want exit code 5, and the reason on stderr", got)
	}
}

func TestProgramsThatCannotRunHaveAShellsExitCodes(t *testing.T) {
	h := newHost(t)
	put(t, "runnable")
	h.write(t, "a.yaml", simple(t, "runnable"))
	text := filepath.Join(h.dir, "text.exe")
	if err := os.WriteFile(text, []byte("This is no program.\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		program string
		code    int
	}{
		"a program that is not there":   {"vaultpane-there-is-none", 127},
		"a file that is not executable": {h.Path(text), 126},
	} {
		t.Run(name, func(t *testing.T) {
			if got := h.tool(t, h.exec(nil, test.program)...); got.code != test.code {
				t.Errorf("got %+v, want exit code %d", got, test.code)
			}
		})
	}
}

func TestASignalReachesTheProgram(t *testing.T) {
	if !native() {
		t.Skip("Wine cannot be sent CTRL_SHUTDOWN_EVENT; docs/testing.md lists it")
	}
	h := newHost(t)
	put(t, "signalled")
	h.write(t, "a.yaml", simple(t, "signalled"))
	h.start(t, h.exec(nil, h.witness(), "stay")...)
	h.logged(t, "witness: stays")
	if _, err := h.agent.Stop(time.Minute); err != nil {
		t.Error(err)
	}
	h.logged(t, "witness: asked to end: terminated")
	if code := h.agent.ExitCode(); code != 7 {
		t.Errorf("the exit code is %d, want the program's, 7", code)
	}
}

func TestAKilledAgentLeavesNoProgramBehind(t *testing.T) {
	h := newHost(t)
	put(t, "orphan")
	h.write(t, "a.yaml", simple(t, "orphan"))
	h.start(t, h.exec(nil, h.witness(), "end-with-the-agent")...)
	h.logged(t, "witness: stays")
	running := programs(t, "end-with-the-agent")
	if len(running) != 1 {
		t.Fatalf("%d programs run, want 1", len(running))
	}
	h.agent.Kill()
	ended := func() (bool, error) { return len(programs(t, "end-with-the-agent")) == 0, nil }
	t.Cleanup(func() {
		if done, _ := ended(); !done && native() { // Wine ends with its machine
			_ = running[0].Kill()
		}
	})
	eventually(t, "the program has ended", ended)
}

// programs returns the processes of the program with an argument; the agent has it, too.
func programs(t *testing.T, argument string) []*os.Process {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []*os.Process
	for _, file := range files {
		line, _ := os.ReadFile(file) // the process may have ended
		text := string(line)
		if strings.Contains(text, filepath.Base(env.dir)) && strings.Contains(text, argument) && !strings.Contains(text, "exec\x00") {
			id, _ := strconv.Atoi(filepath.Base(filepath.Dir(file))) // the pattern has digits
			process, err := os.FindProcess(id)
			if err != nil {
				t.Fatal(err)
			}
			found = append(found, process)
		}
	}
	return found
}
