//go:build !windows

package childprocess

import (
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

const exitAfterGrace = 128 + int(unix.SIGKILL)

var reported = forwarded

func TestSignalsReachTheProgram(t *testing.T) {
	p := launch(t, "role-agent", os.Args[0], "role-report")
	p.ready(t)
	for _, sig := range forwarded[1:] {
		if signal.Ignored(sig) {
			continue // by nohup, which has started the tests; it stays ignored
		}
		if err := p.Signal(sig); err != nil {
			t.Fatal(err)
		}
		if line := p.line(t); line != "received "+sig.String() {
			t.Errorf("after %s: %s", sig, line)
		}
	}
	if err := p.Signal(unix.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if line := p.line(t); line != "received terminated" {
		t.Error(line)
	}
	if code := p.exitCode(t); code != 42 {
		t.Errorf("exit code %d", code)
	}
}

func TestASignalThatEndsTheProgramIsItsExitCode(t *testing.T) {
	p := launch(t, "role-agent", "sleep", "1000")
	if err := p.Signal(unix.SIGTERM); err != nil { // before or after the program has started
		t.Fatal(err)
	}
	if code := p.exitCode(t); code != 128+int(unix.SIGTERM) && code != -1 {
		t.Errorf("exit code %d", code)
	}
}

func TestSignalsAboutTheAgentAreNotForwarded(t *testing.T) {
	signals := make(chan os.Signal, 10)
	for _, sig := range []os.Signal{unix.SIGCHLD, unix.SIGPIPE, unix.SIGURG, unix.SIGTSTP} {
		signals <- sig
	}
	close(signals)
	// SIGPIPE and SIGTSTP would end or stop a program that does nothing about them.
	if code, err := Run(t.Context(), []string{"sleep", "0.2"}, signals); code != 0 || err != nil {
		t.Errorf("got %d, %v", code, err)
	}
}

func TestAnIgnoredSignalStaysIgnored(t *testing.T) {
	if code := launch(t, "role-ignoring").exitCode(t); code != 0 {
		t.Error("SIGHUP is no longer ignored, so nohup would do nothing for the program")
	}
}

// ignoring is an agent that was started with nohup(1), as far as Signals is concerned.
func ignoring([]string) int {
	signal.Ignore(unix.SIGHUP)
	_, stop := Signals()
	defer stop()
	if signal.Ignored(unix.SIGHUP) {
		return 0
	}
	return 1
}

func init() { roles["role-ignoring"] = ignoring }

func TestAFileWithoutTheRightToExecute(t *testing.T) {
	folder := t.TempDir()
	for name, test := range map[string]struct {
		content string
		mode    os.FileMode
	}{
		"no right to execute": {"#!/bin/sh\n", 0o600},
		"no interpreter":      {"#!/no/such/interpreter\n", 0o700},
	} {
		file := filepath.Join(folder, "file")
		if err := os.WriteFile(file, []byte(test.content), test.mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, test.mode); err != nil {
			t.Fatal(err)
		}
		if _, err := Run(t.Context(), []string{file}, nil); !errors.Is(err, ErrNotExecutable) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if _, err := Run(t.Context(), []string{folder}, nil); !errors.Is(err, ErrNotExecutable) {
		t.Errorf("a folder: got %v", err)
	}
}
