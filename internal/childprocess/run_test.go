package childprocess

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheExitCodeIsThePrograms(t *testing.T) {
	for _, code := range []string{"0", "3", "255"} {
		got, err := Run(t.Context(), []string{os.Args[0], "role-exit", code}, nil)
		if err != nil || got != exit([]string{code}) {
			t.Errorf("exit code %s: got %d, %v", code, got, err)
		}
	}
}

func TestArgumentsArriveUnchanged(t *testing.T) {
	want := []string{
		"", "a b", `say "hi"`, `C:\path with spaces\`, `\\"`, "%PATH%", "a&b|c^d", "$HOME", "*", "ä ☃", "line\nbreak", "--",
	}
	p := launch(t, append([]string{"role-agent", os.Args[0], "role-arguments"}, want...)...)
	var got []string
	if err := json.Unmarshal([]byte(p.line(t)), &got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if code := p.exitCode(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestStandardInputIsThePrograms(t *testing.T) {
	p := launch(t, "role-agent", os.Args[0], "role-report")
	p.ready(t)
	if _, err := p.input.Write([]byte("end\n")); err != nil {
		t.Fatal(err)
	}
	if code := p.exitCode(t); code != 42 {
		t.Errorf("exit code %d", code)
	}
}

func TestWhatDoesNotRunHasAShellsExitCode(t *testing.T) {
	folder := folder(t)
	file := filepath.Join(folder, "program.exe")
	if err := os.WriteFile(file, []byte("this is no program"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name string
		argv []string
		want error
		code int
	}{
		{"a name that is not in PATH", []string{"vaultpane-no-such-program"}, ErrNotFound, ExitNotFound},
		{"a path without a file", []string{filepath.Join(folder, "absent.exe")}, ErrNotFound, ExitNotFound},
		{"no name", []string{""}, ErrNotFound, ExitNotFound},
		{"nothing", nil, ErrNotFound, ExitNotFound},
		{"a file of another format", []string{file}, ErrNotExecutable, ExitNotExecutable},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := Run(t.Context(), test.argv, nil); !errors.Is(err, test.want) {
				t.Errorf("got %v", err)
			}
			if code := launch(t, append([]string{"role-agent"}, test.argv...)...).exitCode(t); code != test.code {
				t.Errorf("exit code %d", code)
			}
		})
	}
}

func TestNothingStartsAfterTheContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, []string{os.Args[0], "role-exit", "0"}, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestAKilledAgentLeavesNoProgram(t *testing.T) {
	p := launch(t, "role-agent", os.Args[0], "role-deaf")
	p.ready(t)
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	p.silent(t)
}

func TestAKilledAgentLeavesNoProgramOfItsProgram(t *testing.T) {
	if runtime.GOOS != "windows" {
		t.Skip("Linux ends these with the container")
	}
	p := launch(t, "role-agent", os.Args[0], "role-parent")
	p.ready(t)
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	p.silent(t)
}

func TestAProgramThatDoesNotEndIsKilledAfterTheGraceTime(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	output, err := os.CreateTemp(folder(t), "")
	if err != nil {
		t.Fatal(err)
	}
	stdout := os.Stdout
	os.Stdout = output
	defer func() { os.Stdout = stdout; _ = output.Close() }()
	const grace = time.Second
	var stopped time.Time
	go func() {
		defer cancel()
		for deadline := time.Now().Add(limit); time.Now().Before(deadline); <-time.After(10 * time.Millisecond) {
			if text, _ := os.ReadFile(output.Name()); bytes.HasPrefix(text, []byte("ready")) {
				break
			}
		}
		stopped = time.Now()
	}()
	code, err := run(ctx, []string{os.Args[0], "role-deaf"}, nil, grace)
	if err != nil || code != exitAfterGrace {
		t.Errorf("got %d, %v", code, err)
	}
	if took := time.Since(stopped); took < grace || took > limit {
		t.Errorf("it was killed after %s", took)
	}
}
