package childprocess

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func init() {
	roles["role-subreaper"] = subreaper
	roles["role-orphans"] = orphans
}

// The kernel kills the program when the thread that started it ends, and Go ends a thread whose goroutine ends while locked to
// it.
func TestTheProgramOutlivesTheAgentsOtherThreads(t *testing.T) {
	const programs = 20 // the thread that started one may wait for its end by chance, which keeps the thread
	// Signals that are not forwarded keep Run busy meanwhile, so that another thread waits.
	signals := make(chan os.Signal, 20000*programs)
	for range cap(signals) {
		signals <- unix.SIGCHLD
	}
	done := make(chan string)
	for range programs {
		go func() {
			code, err := Run(t.Context(), []string{"sleep", "1"}, signals)
			done <- fmt.Sprint(code, err)
		}()
	}
	for ended := 0; ended < programs; {
		select {
		case got := <-done:
			ended++
			if got != "0 <nil>" {
				t.Errorf("got %s", got)
			}
		default:
			endIdleThreads()
		}
	}
}

// endIdleThreads takes every thread that waits for work, and ends it.
func endIdleThreads() {
	const more = 50 // than there are
	var locked, ended sync.WaitGroup
	for range more {
		locked.Add(1)
		ended.Go(func() {
			runtime.LockOSThread()
			locked.Done()
			locked.Wait()
		})
	}
	ended.Wait()
}

// subreaper is an agent that adopts orphans, as the first process of a container does. It starts programs of its own meanwhile.
func subreaper(argv []string) int {
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		panic(err)
	}
	go func() {
		for {
			if err := exec.Command("sleep", "0.01").Run(); err != nil {
				fmt.Println("stolen:", err)
			}
		}
	}()
	return agent(argv)
}

// orphans leaves three processes that end without their parent, and then waits as report does.
func orphans([]string) int {
	script := `for i in 1 2 3; do (sh -c 'echo $$; exec sleep 0.1 >/dev/null' &); done`
	output, err := exec.Command("sh", "-c", script).Output()
	if err != nil {
		panic(err)
	}
	fmt.Println("orphans", strings.Join(strings.Fields(string(output)), " "))
	return report(nil)
}

func TestAnAgentThatAdoptsOrphansReapsThemAndNothingElse(t *testing.T) {
	p := launch(t, "role-subreaper", os.Args[0], "role-orphans")
	pids := strings.Fields(strings.TrimPrefix(p.line(t), "orphans"))
	if len(pids) != 3 {
		t.Fatalf("orphans: %v", pids)
	}
	p.ready(t)
	for _, pid := range pids {
		gone(t, pid)
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

// gone waits until a process is not even a zombie.
func gone(t *testing.T, pid string) {
	t.Helper()
	for deadline := time.Now().Add(limit); time.Now().Before(deadline); <-time.After(50 * time.Millisecond) {
		if _, err := os.Stat("/proc/" + pid); errors.Is(err, fs.ErrNotExist) {
			return
		}
	}
	t.Errorf("process %s is still there", pid)
}

func TestAZombieIsLeftToWhoWaitsForIt(t *testing.T) {
	command := exec.Command("true")
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	pid := command.Process.Pid
	for deadline := time.Now().Add(limit); !slices.Contains(zombies(), pid); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not end")
		}
	}
	if left := reap(0, nil); !left[pid] || !slices.Contains(zombies(), pid) {
		t.Errorf("it was taken at first sight: %v", left)
	}
	if left := reap(pid, map[int]bool{pid: true}); left[pid] || !slices.Contains(zombies(), pid) {
		t.Errorf("the program was taken from os/exec: %v", left)
	}
	if left := reap(0, map[int]bool{pid: true}); left[pid] || slices.Contains(zombies(), pid) {
		t.Errorf("it stays: %v", left)
	}
	_ = command.Wait() // says that there is no such child
}

func TestIsZombieOf(t *testing.T) {
	for stat, want := range map[string]bool{
		"12 (sleep) Z 7 12 12":      true,
		"12 (sleep) S 7 12 12":      false,
		"12 (sleep) Z 77 12 12":     false,
		"12 (a) Z 7 (b) S 1 12 12":  false,
		"12 (a) S 1 (b)) Z 7 12 12": true,
		"12 (sleep)":                false,
		"":                          false,
	} {
		if got := isZombieOf(stat, 7); got != want {
			t.Errorf("%q: %v", stat, got)
		}
	}
}

func TestCtrlCOfATerminalArrivesOnce(t *testing.T) {
	terminal, process := launchInTerminal(t, "role-agent", os.Args[0], "role-report")
	var seen strings.Builder
	await := func(text string) {
		t.Helper()
		buffer := make([]byte, 1000)
		for !strings.Contains(seen.String(), text) {
			n, err := terminal.Read(buffer)
			if err != nil {
				t.Fatalf("waiting for %q after %q: %v", text, seen.String(), err)
			}
			seen.Write(buffer[:n])
		}
	}
	await("ready")
	if _, err := terminal.Write([]byte{3}); err != nil {
		t.Fatal(err)
	}
	await("received interrupt")
	if err := process.Signal(unix.SIGTERM); err != nil { // signals are forwarded in their order
		t.Fatal(err)
	}
	await("received terminated")
	if n := strings.Count(seen.String(), "received interrupt"); n != 1 {
		t.Errorf("it arrived %d times", n)
	}
}

// launchInTerminal starts a role in the foreground of a new terminal (pty(7)) and returns the terminal's other end.
func launchInTerminal(t *testing.T, arguments ...string) (*os.File, *os.Process) {
	t.Helper()
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	t.Cleanup(func() { _ = terminal.Close() })
	fd := int(terminal.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no terminals here: %v", err)
	}
	defer func() { _ = program.Close() }()
	command := exec.Command(os.Args[0], arguments...)
	command.Stdin, command.Stdout, command.Stderr = program, program, program
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(limit, func() { _ = command.Process.Kill() }) // ends a read that waits
	t.Cleanup(func() {
		overdue.Stop()
		_ = command.Process.Kill()
		_ = command.Wait()
	})
	return terminal, command.Process
}
