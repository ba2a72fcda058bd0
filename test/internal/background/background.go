// Package background lets a command of the test servers continue to run after the shell has its prompt back: "up" starts it, "down"
// ends it, and both can be said twice.
package background

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/vaultpane/vaultpane/test/internal/filelock"
)

// Files in a program's folder.
const (
	lockName = "running.lock"
	pidName  = "pid"
	logName  = "log"
)

// Program is what Up starts: this executable with other arguments.
type Program struct {
	// Dir is the folder of its lock, process id and log.
	Dir string
	// ReadyFile is a file that the program writes when it can be used, and that is there as long as it runs.
	ReadyFile string
	// Args are its arguments.
	Args []string
}

// Up starts a program and returns when it is ready; already is true if it was running. ctx bounds the start.
func Up(ctx context.Context, program Program) (already bool, err error) {
	if running(program.Dir) {
		return true, waitReady(ctx, program, nil)
	}
	if err := os.MkdirAll(program.Dir, 0o700); err != nil {
		return false, fmt.Errorf("creating the folder: %w", err)
	}
	if err := os.Remove(program.ReadyFile); err != nil && !errors.Is(err, os.ErrNotExist) {
		return false, fmt.Errorf("removing what an earlier run left: %w", err)
	}
	executable, err := os.Executable()
	if err != nil {
		return false, fmt.Errorf("finding this executable: %w", err)
	}
	log, err := os.Create(filepath.Join(program.Dir, logName))
	if err != nil {
		return false, fmt.Errorf("making the log: %w", err)
	}
	defer func() { _ = log.Close() }() // the program has its own handle
	command := exec.Command(executable, program.Args...)
	command.Stdout, command.Stderr = log, log
	detach(command)
	if err := command.Start(); err != nil {
		return false, fmt.Errorf("starting it in the background: %w", err)
	}
	ended := make(chan struct{})
	go func() { _ = command.Wait(); close(ended) }() // its log says why
	return false, waitReady(ctx, program, ended)
}

func waitReady(ctx context.Context, program Program, ended <-chan struct{}) error {
	ready := func(context.Context) (bool, error) {
		select {
		case <-ended:
			log, _ := os.ReadFile(filepath.Join(program.Dir, logName)) // best effort: the error is what matters
			return false, fmt.Errorf("it ended at once: %s", strings.TrimSpace(string(log)))
		default:
		}
		_, err := os.Stat(program.ReadyFile)
		return err == nil, nil
	}
	if err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, ready); err != nil {
		return fmt.Errorf("waiting for the background program: %w", err)
	}
	return nil
}

// Hold is called by the program itself: it takes the lock that says it runs, and writes its process id. It fails when
// another one runs over the same folder.
func Hold(dir string) (release func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("creating the folder: %w", err)
	}
	lock, err := filelock.Try(filepath.Join(dir, lockName))
	if err != nil {
		return nil, fmt.Errorf("taking the folder %s: %w", dir, err)
	}
	if err := os.WriteFile(filepath.Join(dir, pidName), []byte(strconv.Itoa(os.Getpid())), 0o600); err != nil {
		lock.Release()
		return nil, fmt.Errorf("writing the process id: %w", err)
	}
	return lock.Release, nil
}

// Down ends the program of a folder and returns when it is gone; was is false if none ran. Only a program that holds its
// lock is ended, so that no other process with a reused id is ended.
func Down(ctx context.Context, dir string) (was bool, err error) {
	if !running(dir) {
		return false, nil
	}
	text, err := os.ReadFile(filepath.Join(dir, pidName))
	if err != nil {
		return false, fmt.Errorf("reading the process id: %w", err)
	}
	pid, err := strconv.Atoi(string(text))
	if err != nil {
		return false, fmt.Errorf("reading the process id: %w", err)
	}
	process, err := os.FindProcess(pid)
	if err != nil {
		return false, fmt.Errorf("finding process %d: %w", pid, err)
	}
	if err := end(process); err != nil {
		return false, fmt.Errorf("ending process %d: %w", pid, err)
	}
	lock, err := filelock.Wait(ctx, filepath.Join(dir, lockName), func() {})
	if err != nil {
		return true, fmt.Errorf("waiting for the end of process %d: %w", pid, err)
	}
	lock.Release()
	return true, nil
}

// running reports whether a program holds the lock of a folder.
func running(dir string) bool {
	if _, err := os.Stat(filepath.Join(dir, lockName)); err != nil {
		return false
	}
	lock, err := filelock.Try(filepath.Join(dir, lockName))
	if err == nil {
		lock.Release()
	}
	return errors.Is(err, filelock.ErrHeld)
}
