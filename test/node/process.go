package node

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a running program that ends with this process (on Linux; elsewhere only by Kill and Stop).
type Process struct {
	name    string
	command *exec.Cmd
	log     *os.File
	done    chan struct{}
}

// StartProcess starts a program; what it prints is appended to logFile.
func StartProcess(command *exec.Cmd, logFile string) (*Process, error) {
	name := filepath.Base(command.Path)
	log, err := os.OpenFile(logFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the log of %s: %w", name, err)
	}
	command.Stdout, command.Stderr = log, log
	endWithParent(command)
	if err := command.Start(); err != nil {
		_ = log.Close()
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	p := &Process{name: name, command: command, log: log, done: make(chan struct{})}
	go func() {
		_ = command.Wait() // how it ended is in its log
		_ = log.Close()
		close(p.done)
	}()
	return p, nil
}

// Kill ends the process as the kernel does it: at once, with nothing said.
func (p *Process) Kill() {
	_ = p.command.Process.Kill() // it may have ended by itself
	<-p.done
}

// Stop asks the process to end, and returns how long it took. It kills it after limit.
func (p *Process) Stop(limit time.Duration) (time.Duration, error) {
	start := time.Now()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, fmt.Errorf("asking %s to stop: %w", p.name, err)
	}
	select {
	case <-p.done:
		return time.Since(start), nil
	case <-time.After(limit):
		p.Kill()
		return limit, fmt.Errorf("%s did not stop in time", p.name)
	}
}

// Running reports whether the process runs.
func (p *Process) Running() bool {
	select {
	case <-p.done:
		return false
	default:
		return true
	}
}

// Succeeded reports whether the process has exited with status 0.
func (p *Process) Succeeded() bool { return !p.Running() && p.command.ProcessState.Success() }

// ExitCode is the process's exit code after its end, -1 where a signal ended it. It waits for the end.
func (p *Process) ExitCode() int {
	<-p.done
	return p.command.ProcessState.ExitCode()
}

// ResidentBytes is the process's resident memory, as the kernel counts it.
func (p *Process) ResidentBytes() (int64, error) { return p.memory("VmRSS:") }

// OpenFiles is the number of the process's descriptors, as the kernel counts them; under Wine those of handles are among them.
func (p *Process) OpenFiles() (int, error) {
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", p.command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("counting the descriptors of %s: %w", p.name, err)
	}
	return len(files), nil
}

// PeakBytes is the most resident memory that the process ever had, as the kernel counts it.
func (p *Process) PeakBytes() (int64, error) { return p.memory("VmHWM:") }

func (p *Process) memory(field string) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("reading the memory of %s: %w", p.name, err)
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) >= 2 && fields[0] == field {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			return kilobytes * 1024, err
		}
	}
	return 0, fmt.Errorf("the kernel does not report the memory of %s", p.name)
}

// ProcessorTime is the time that the process has kept a processor busy, as the kernel counts it.
func (p *Process) ProcessorTime() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		return 0, fmt.Errorf("reading the processor time of %s: %w", p.name, err)
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest) // from the third on, see proc(5)
	if len(fields) < 13 {
		return 0, errors.New("the kernel does not report the processor time of " + p.name)
	}
	var ticks int64
	for _, field := range fields[11:13] { // utime, stime, in hundredths of a second
		number, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("reading the processor time of %s: %w", p.name, err)
		}
		ticks += number
	}
	return time.Duration(ticks) * 10 * time.Millisecond, nil
}
