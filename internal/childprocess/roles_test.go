package childprocess

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// limit is the longest that a test waits for something that should happen at once.
const limit = 30 * time.Second

// roles are the programs that this test executable is: its first argument names one, the others are the role's own.
var roles = map[string]func(arguments []string) int{
	"role-agent":     agent,
	"role-exit":      exit,
	"role-arguments": arguments,
	"role-report":    report,
	"role-deaf":      deaf,
	"role-parent":    parent,
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && roles[os.Args[1]] != nil {
		os.Exit(roles[os.Args[1]](os.Args[2:]))
	}
	os.Exit(m.Run())
}

// agent runs the program that its arguments name, as `vaultpane-agent exec` does.
func agent(argv []string) int {
	signals, stop := Signals()
	defer stop()
	code, err := Run(context.Background(), argv, signals)
	switch {
	case errors.Is(err, ErrNotFound):
		return ExitNotFound
	case errors.Is(err, ErrNotExecutable):
		return ExitNotExecutable
	case err != nil:
		fmt.Fprintln(os.Stderr, err)
		return 255
	}
	return code
}

func exit(arguments []string) int {
	code, err := strconv.Atoi(arguments[0])
	if err != nil {
		panic(err)
	}
	return code
}

func arguments(arguments []string) int {
	if err := json.NewEncoder(os.Stdout).Encode(arguments); err != nil {
		panic(err)
	}
	return 0
}

// report prints its process id and then each signal. A line "end" on its standard input or SIGTERM ends it, with exit code 42.
func report([]string) int {
	received := make(chan os.Signal, 10)
	signal.Notify(received, reported...)
	fmt.Println("ready", os.Getpid())
	ended := make(chan struct{})
	go func() {
		if line, _ := bufio.NewReader(os.Stdin).ReadString('\n'); strings.TrimSpace(line) == "end" {
			close(ended)
		}
	}()
	for {
		select {
		case sig := <-received:
			fmt.Println("received", sig)
			if sig == syscall.SIGTERM {
				return 42
			}
		case <-ended:
			return 42
		}
	}
}

// deaf ignores requests to end. It ends after some minutes all the same, in case a test leaves it behind.
func deaf([]string) int {
	signal.Ignore(os.Interrupt, syscall.SIGTERM)
	fmt.Println("ready", os.Getpid())
	<-time.After(10 * limit)
	return 0
}

// parent starts a child that holds the same standard output, says so, and waits for it.
func parent([]string) int {
	child := exec.Command(os.Args[0], "role-deaf")
	child.Stdout = os.Stdout
	if err := child.Run(); err != nil {
		return 1
	}
	return 0
}

// process is a role that a test started.
type process struct {
	*os.Process
	lines  chan string // its output, closed when no process holds it any more
	unread []string    // what silent found in it
	input  io.WriteCloser
}

// launch starts a role. The test's end kills it.
func launch(t *testing.T, arguments ...string) *process {
	t.Helper()
	command := exec.Command(os.Args[0], arguments...)
	command.Stderr = os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{Process: command.Process, lines: make(chan string, 100), input: input}
	go p.read(output)
	t.Cleanup(func() {
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	return p
}

func (p *process) read(output io.Reader) {
	for scanner := bufio.NewScanner(output); scanner.Scan(); {
		p.lines <- scanner.Text()
	}
	close(p.lines)
}

// line returns the next line of output.
func (p *process) line(t *testing.T) string {
	t.Helper()
	select {
	case line, open := <-p.lines:
		if !open {
			t.Fatal("the output ended")
		}
		return line
	case <-time.After(limit):
		t.Fatal("no output")
	}
	return ""
}

// ready waits until the program runs and returns its process id.
func (p *process) ready(t *testing.T) int {
	t.Helper()
	var pid int
	if line := p.line(t); !scanned(line, &pid) {
		t.Fatalf("the program says %q", line)
	}
	return pid
}

func scanned(line string, pid *int) bool {
	_, err := fmt.Sscanf(line, "ready %d", pid)
	return err == nil
}

// silent waits until no process holds the output: all have ended.
func (p *process) silent(t *testing.T) {
	t.Helper()
	deadline := time.After(limit)
	for {
		select {
		case line, open := <-p.lines:
			if !open {
				return
			}
			p.unread = append(p.unread, line)
		case <-deadline:
			t.Fatal("a process still runs")
		}
	}
}

// exitCode waits for the end.
func (p *process) exitCode(t *testing.T) int {
	t.Helper()
	p.silent(t)
	state, err := p.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return state.ExitCode()
}

// folder is t.TempDir for what Wine 8 cannot do: os.RemoveAll. It contains files only.
func folder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "childprocess")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		files, _ := filepath.Glob(filepath.Join(folder, "*"))
		for _, file := range append(files, folder) {
			if err := os.Remove(file); err != nil {
				t.Error(err)
			}
		}
	})
	return folder
}
