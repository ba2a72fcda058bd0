package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// process is one child: etcd or kube-apiserver. It does not outlive this process, see dieWithUs.
type process struct {
	name    string
	cmd     *exec.Cmd
	output  *tail
	stopped atomic.Bool   // by us: its end is no failure
	exited  chan struct{} // closed when it is gone
	err     error         // how it ended; read after exited
}

// startProcess starts a binary. Its output goes to log (may be nil), and the end of it into errors.
func startProcess(path string, args []string, log io.Writer) (*process, error) {
	p := &process{
		name:   filepath.Base(path),
		cmd:    exec.Command(path, args...),
		output: &tail{also: log},
		exited: make(chan struct{}),
	}
	p.cmd.Stdout, p.cmd.Stderr = p.output, p.output
	dieWithUs(p.cmd)
	started := make(chan error)
	go p.run(started)
	if err := <-started; err != nil {
		return nil, fmt.Errorf("starting %s: %w", p.name, err)
	}
	return p, nil
}

// run keeps its thread until the child is gone: Linux kills the child when the thread that made it ends, and the Go
// runtime may end idle threads (https://go.dev/issue/27505).
func (p *process) run(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := p.cmd.Start(); err != nil {
		started <- err
		return
	}
	err := adopt(p.cmd.Process)
	if err != nil {
		_ = p.cmd.Process.Kill() // better no process than one that may be left running
	}
	started <- err
	p.err = p.cmd.Wait()
	close(p.exited)
}

// waitReady polls ready until it returns nil. It gives up when the process ends or ctx does.
func (p *process) waitReady(ctx context.Context, ready func(context.Context) error) error {
	var last error
	poll := func(ctx context.Context) (bool, error) {
		select {
		case <-p.exited:
			return false, p.failure()
		default:
		}
		last = ready(ctx)
		return last == nil, nil
	}
	err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, poll)
	if err == nil || ctx.Err() == nil {
		return err
	}
	return fmt.Errorf("waiting for %s to be ready: %w (last response: %w); its output: %s", p.name, ctx.Err(), last, p.output)
}

// failure says how the process ended. Only for one that has ended.
func (p *process) failure() error {
	if p.err == nil {
		return fmt.Errorf("%s ended by itself; its output: %s", p.name, p.output)
	}
	return fmt.Errorf("%s ended by itself: %w; its output: %s", p.name, p.err, p.output)
}

// stop kills the process and returns when it has ended. Its remaining output is not needed.
func (p *process) stop() error {
	p.stopped.Store(true)
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("killing %s: %w", p.name, err)
	}
	<-p.exited
	return nil
}
