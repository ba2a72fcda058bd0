package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/test/node"
)

// observer is test/witness, in a process of its own, beside a site's store. It shares no code with the product.
type observer struct {
	machine    *node.Machine
	executable string
	log, stop  string
	process    *node.Process
	read       int // bytes of the log
}

// newObserver builds the observer for a site's system.
func newObserver(ctx context.Context, s *site) (*observer, error) {
	o := &observer{
		machine: s.machine, executable: filepath.Join(s.dir, "witness.exe"),
		log: filepath.Join(s.dir, "witness.log"), stop: filepath.Join(s.dir, "stop"),
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", o.executable, "./test/witness")
	build.Dir, build.Env = s.root, append(os.Environ(), "CGO_ENABLED=0")
	if !s.native() {
		build.Env = append(build.Env, "GOOS=windows", "GOARCH=amd64")
	}
	if output, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the observer: %w: %s", err, output)
	}
	return o, nil
}

// start begins to watch the certificates of some subjects, and that those of others stay as they are.
func (o *observer) start(subjects []string) error {
	var err error
	arguments := append([]string{"watch", o.machine.Path(o.stop)}, subjects...)
	o.process, err = o.machine.StartProgram(o.executable, o.log, nil, append(arguments, "@"+otherName)...)
	return err
}

// problem is what the observer saw at a moment.
type problem struct {
	at         time.Time
	kind, text string
}

// kindMissing is the kind of a name without a valid certificate.
const kindMissing = "missing"

// news returns what the observer has printed since the last call.
func (o *observer) news() ([]problem, error) {
	text, err := os.ReadFile(o.log)
	if err != nil {
		return nil, fmt.Errorf("reading the observer's log: %w", err)
	}
	fresh := string(text[o.read:])
	fresh = fresh[:strings.LastIndex(fresh, "\n")+1]
	o.read += len(fresh)
	var problems []problem
	for line := range strings.Lines(fresh) {
		rest, found := strings.CutPrefix(strings.TrimSpace(line), "witness: problem ")
		if !found {
			continue
		}
		stamp, rest, _ := strings.Cut(rest, " ")
		kind, _, _ := strings.Cut(rest, " ")
		at, err := time.Parse(time.RFC3339Nano, stamp)
		if err != nil {
			return nil, fmt.Errorf("reading the observer's log: %w", err)
		}
		problems = append(problems, problem{at, kind, rest})
	}
	if !o.process.Running() {
		return problems, errors.New("the observer has ended; its log says why: " + o.log)
	}
	return problems, nil
}

// seen is what an observer reports at its end.
type seen struct{ Looks, Renewals int }

// end ends the watch and returns its report.
func (o *observer) end(ctx context.Context) (seen, error) {
	var report seen
	if err := os.WriteFile(o.stop, nil, 0o600); err != nil {
		return report, fmt.Errorf("ending the observer: %w", err)
	}
	for ; o.process.Running() && ctx.Err() == nil; wait(ctx, 20*time.Millisecond) {
	}
	text, err := os.ReadFile(o.log)
	if err != nil {
		return report, fmt.Errorf("reading the observer's log: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &report); err != nil {
		return report, fmt.Errorf("the observer ended with %q: %w", lines[len(lines)-1], err)
	}
	return report, nil
}

func (o *observer) kill() {
	if o.process != nil {
		o.process.Kill()
	}
}

// holding is a certificate that the observer finds in a store.
type holding struct {
	Store, Name, Thumbprint string
	Works                   bool
}

// holds returns what the stores hold now.
func (o *observer) holds(ctx context.Context) ([]holding, error) {
	output, err := o.runOnce(ctx, "holds")
	if err != nil {
		return nil, err
	}
	var all []holding
	if err := json.Unmarshal([]byte(output), &all); err != nil {
		return nil, fmt.Errorf("reading what the observer prints: %w: %s", err, output)
	}
	return all, nil
}

// runOnce runs a command of the observer to its end, and returns what it prints.
func (o *observer) runOnce(ctx context.Context, arguments ...string) (string, error) {
	return o.machine.RunProgram(ctx, o.executable, nil, arguments...)
}
