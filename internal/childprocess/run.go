// Package childprocess runs one program beside the agent: it has the agent's standard input and output, receives the agent's
// signals, and does not outlive the agent, however that ends.
//
// On Linux, the kernel kills the program when the agent is killed. What the program itself started is killed only where the
// agent is the first process of a container, because the kernel ends a container with its first process (pid_namespaces(7)).
//
// On Windows, the program and all that it starts are in a job object, which ends with the agent. They also end when the program
// does.
package childprocess

import (
	"context"
	"errors"
	"os"
	"time"
)

// The exit codes of a shell for a program that does not run
// (https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_08_02).
const (
	// ExitNotExecutable is for ErrNotExecutable.
	ExitNotExecutable = 126
	// ExitNotFound is for ErrNotFound.
	ExitNotFound = 127
)

var (
	// ErrNotFound says that there is no such program. Its exit code is ExitNotFound.
	ErrNotFound = errors.New("the program was not found")
	// ErrNotExecutable says that the file is there, and the system does not run it. Its exit code is ExitNotExecutable.
	ErrNotExecutable = errors.New("the program cannot be run")
)

// Grace is how long the program may take to end after the context ended. Kubernetes and the service managers have limits of
// their own, counted from the signal.
const Grace = 10 * time.Second

// Run starts a program and waits until it ends. argv is its name, looked up as a shell does, and its arguments, which it
// receives unchanged; on Windows a batch file receives them through cmd.exe, which gives a meaning to some characters.
//
// signals are those that this process receives, usually from Signals; Run passes them on where the program does not receive
// them anyway. Subscribe before Run, or a signal that arrives during the start ends the agent.
//
// When ctx ends, the program is asked to end, with SIGTERM. On Windows no other request than a console event exists, which the
// program has received when the agent has. After Grace it is killed.
//
// The exit code is the program's: on Unix 128+n when signal n ended it; on Windows a 32-bit number, and 1 after Grace. An error
// says that the program did not start, or that its end was not seen. It is ErrNotFound, ErrNotExecutable, that of a ctx that
// had ended before, or the system's.
func Run(ctx context.Context, argv []string, signals <-chan os.Signal) (exitCode int, err error) {
	return run(ctx, argv, signals, Grace)
}

func run(ctx context.Context, argv []string, signals <-chan os.Signal, grace time.Duration) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	path, err := find(argv)
	if err != nil {
		return 0, err
	}
	program, err := start(path, argv)
	if err != nil {
		return 0, explain(path, err)
	}
	defer program.release()
	asked := ctx.Done()
	var late <-chan time.Time
	for {
		select {
		case <-program.ended:
			return program.result()
		case sig, open := <-signals:
			if !open {
				signals = nil
				continue
			}
			program.forward(sig)
		case <-asked:
			asked, late = nil, time.After(grace)
			program.stop()
		case <-late:
			program.kill()
		}
	}
}
