package linuxnode

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"sync"

	"golang.org/x/sys/unix"
)

// order is what the node's first process is told: to start a program, or to kill one.
type order struct {
	Start   string   `json:"start,omitempty"`
	Command []string `json:"command,omitempty"`
	Log     string   `json:"log,omitempty"`
	Kill    string   `json:"kill,omitempty"`
}

// answer follows each order, and the node's preparation.
type answer struct {
	Error string `json:"error,omitempty"`
}

func answerOf(err error) answer {
	if err != nil {
		return answer{Error: err.Error()}
	}
	return answer{}
}

// supervisor starts and kills the node's programs. As the first process it also inherits, and has to reap, what lost its parent.
type supervisor struct {
	mu      sync.Mutex
	running map[string]program
	exits   map[int]chan struct{} // by process id; closed when it is reaped
}

type program struct {
	process *os.Process
	exited  chan struct{}
}

func newSupervisor() *supervisor {
	s := &supervisor{running: map[string]program{}, exits: map[int]chan struct{}{}}
	children := make(chan os.Signal, 1)
	signal.Notify(children, unix.SIGCHLD)
	go func() {
		for range children {
			s.reap()
		}
	}()
	return s
}

// serve does what it is told until the one who tells it is gone. The kernel then ends everything in the namespace.
func (s *supervisor) serve(orders *json.Decoder, answers *json.Encoder) {
	for {
		var o order
		if err := orders.Decode(&o); err != nil {
			return
		}
		var err error
		switch {
		case o.Start != "":
			err = s.start(o)
		case o.Kill != "":
			err = s.kill(o.Kill)
		}
		if err := answers.Encode(answerOf(err)); err != nil {
			return
		}
	}
}

func (s *supervisor) start(o order) error {
	log, err := os.OpenFile(o.Log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("opening the log of %s: %w", o.Start, err)
	}
	defer func() { _ = log.Close() }() // the program has its own
	empty, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer func() { _ = empty.Close() }()
	s.mu.Lock() // not reaped before it is known
	defer s.mu.Unlock()
	process, err := os.StartProcess(o.Command[0], o.Command, &os.ProcAttr{Files: []*os.File{empty, log, log}, Env: os.Environ(), Dir: "/"})
	if err != nil {
		return fmt.Errorf("starting %s: %w", o.Start, err)
	}
	exited := make(chan struct{})
	s.exits[process.Pid] = exited
	s.running[o.Start] = program{process: process, exited: exited}
	return nil
}

// kill ends a program at once, and returns when it has ended. What it started runs on.
func (s *supervisor) kill(name string) error {
	s.mu.Lock()
	one, found := s.running[name]
	delete(s.running, name)
	s.mu.Unlock()
	if !found {
		return fmt.Errorf("%s was not started", name)
	}
	if err := one.process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing %s: %w", name, err)
	}
	<-one.exited
	return nil
}

func (s *supervisor) reap() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if err != nil || pid <= 0 {
			return
		}
		if exited := s.exits[pid]; exited != nil {
			close(exited)
			delete(s.exits, pid)
		}
	}
}
