package linuxnode

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// machine is the node's first process as its parent sees it: while it runs, the node is switched on.
type machine struct {
	command *exec.Cmd
	orders  io.WriteCloser
	encoder *json.Encoder
	answers *json.Decoder
}

// switchOn starts the node's first process in namespaces of its own.
func switchOn(dir folders) (*machine, error) {
	m := &machine{command: exec.Command("/proc/self/exe")}
	m.command.Env = append(os.Environ(), initVariable+"="+string(dir))
	m.command.Stderr = os.Stderr
	m.command.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS, Setpgid: true}
	var err error
	if m.orders, err = m.command.StdinPipe(); err != nil {
		return nil, err
	}
	output, err := m.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	m.encoder, m.answers = json.NewEncoder(m.orders), json.NewDecoder(output)
	if err := m.command.Start(); err != nil {
		return nil, fmt.Errorf("making the node's namespaces: %w", err)
	}
	if err := m.answer(); err != nil {
		return nil, errors.Join(err, m.switchOff())
	}
	return m, nil
}

// start starts a program of the node, and kill ends it as kill -9 does.
func (m *machine) start(name, log string, command ...string) error {
	return m.tell(order{Start: name, Command: command, Log: log})
}

func (m *machine) kill(name string) error { return m.tell(order{Kill: name}) }

func (m *machine) tell(o order) error {
	if err := m.encoder.Encode(o); err != nil {
		return fmt.Errorf("telling the node's first process: %w", err)
	}
	return m.answer()
}

func (m *machine) answer() error {
	var said answer
	if err := m.answers.Decode(&said); err != nil {
		return fmt.Errorf("hearing of the node's first process: %w", err)
	}
	if said.Error != "" {
		return errors.New(said.Error)
	}
	return nil
}

// switchOff ends all processes of the node at once, without a word to any, as a power failure does. All its mounts go too.
func (m *machine) switchOff() error {
	if err := m.command.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("switching the node off: %w", err)
	}
	_ = m.command.Wait() // it was killed
	return nil
}
