package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/test/fleet"
)

// pluginRounds is how often each command runs.
const pluginRounds = 5

// plugin is kubectl-vaultpane, built for the measurement.
type plugin struct {
	*site
	executable, kubeconfig string
}

// measurePlugin measures the commands of kubectl vaultpane that read much, with a fleet at the limit of the design: the time for the
// user and the most memory.
func measurePlugin(ctx context.Context, size scale, t *table) error {
	s, err := newSite(ctx, t, size.memoryCertificates)
	defer s.close()
	if err != nil {
		return err
	}
	p := &plugin{site: s, executable: filepath.Join(s.dir, "kubectl-vaultpane"), kubeconfig: filepath.Join(s.dir, "admin.kubeconfig")}
	if err := p.build(ctx); err != nil {
		return err
	}
	if err := s.plane.WriteKubeconfig(p.kubeconfig); err != nil {
		return err
	}
	if err := s.fleet.Join(ctx, size.memoryNodes); err != nil {
		return err
	}
	what := fmt.Sprintf("%d nodes × %d certificates", size.memoryNodes, size.memoryCertificates)
	fmt.Printf("bench: %s report; load average %s\n", what, load())
	if _, err := s.fleet.Report(ctx, s.installed()); err != nil {
		return err
	}
	if err := s.startController(ctx); err != nil {
		return err
	}
	if _, err := s.allReady(ctx); err != nil {
		return err
	}
	s.stopController() // so that it takes no time from the commands
	if err := p.statuses(ctx, what+", all installed", true); err != nil {
		return err
	}
	if _, err := s.fleet.Report(ctx, fleet.Failed(s.installed())); err != nil {
		return err
	}
	return p.statuses(ctx, what+", all failed with messages of 300 B", false)
}

func (p *plugin) build(ctx context.Context) error {
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", p.executable, "./cmd/kubectl-vaultpane")
	build.Dir, build.Env = p.root, append(os.Environ(), "CGO_ENABLED=0")
	if output, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building kubectl-vaultpane: %w: %s", err, output)
	}
	return nil
}

// statuses measures the forms of status. The goal is that of the fleet in which all is well.
func (p *plugin) statuses(ctx context.Context, fleet string, goal bool) error {
	for _, arguments := range [][]string{{"status"}, {"status", "cert-000"}, {"status", "--node", "akswin000000"}, {"doctor"}} {
		var times []float64
		var most int64
		for range pluginRounds {
			length, memory, err := p.run(ctx, arguments...)
			if err != nil {
				return err
			}
			times, most = append(times, length.Seconds()), max(most, memory)
		}
		what := fmt.Sprintf("kubectl vaultpane %s, %s: median time, and the most memory", strings.Join(arguments, " "), fleet)
		measured := fmt.Sprintf("%s, %.0f MB", seconds(times), megabytes(most))
		if !goal || arguments[0] == "doctor" { // which reads everything
			p.Note(what, measured)
			continue
		}
		p.Add(what, measured, "≤ 2 s, ≤ 200 MB", median(times) <= 2 && megabytes(most) <= 200)
	}
	return nil
}

// run runs a command, and returns how long it took and the most resident memory that it had. Exit code 1 is a status with failures.
func (p *plugin) run(ctx context.Context, arguments ...string) (length time.Duration, memory int64, err error) {
	command := exec.CommandContext(ctx, p.executable, append(arguments, "--kubeconfig", p.kubeconfig)...)
	start := time.Now()
	output, err := command.CombinedOutput()
	length = time.Since(start)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil
	}
	if err != nil {
		return 0, 0, fmt.Errorf("running kubectl vaultpane %v: %w: %s", arguments, err, output)
	}
	return length, peakOf(command.ProcessState), nil
}
