package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/fleet"
)

// measureControllerMemory measures the controller's memory with a fleet at the limit of the design, and with the version watch. Nothing keeps the nodes
// alive: what a kubelet writes never enters the controller's cache.
func measureControllerMemory(ctx context.Context, size scale, t *table) error {
	s, err := emptySite(ctx, t, size.memoryCertificates)
	defer s.close()
	if err != nil {
		return err
	}
	if err := s.watchVersions(size.memoryCertificates); err != nil {
		return err
	}
	if err := s.fleet.Observe(ctx, size.memoryCertificates, required); err != nil {
		return err
	}
	if err := s.fleet.Join(ctx, size.memoryNodes); err != nil {
		return err
	}
	what := fmt.Sprintf("%d nodes × %d certificates, version watch on", size.memoryNodes, size.memoryCertificates)
	fmt.Printf("bench: %s report; load average %s\n", what, load())
	if _, err := s.fleet.Report(ctx, s.installed()); err != nil {
		return err
	}
	if err := s.start(ctx, what+", all installed, after the start"); err != nil {
		return err
	}
	if _, err := s.allReady(ctx); err != nil {
		return err
	}
	if err := s.memory(what+", all installed, all statuses written", true); err != nil {
		return err
	}
	fmt.Printf("bench: %s fail; load average %s\n", what, load())
	if _, err := s.fleet.Report(ctx, fleet.Failed(s.installed())); err != nil {
		return err
	}
	if _, err := s.statuses.Until(ctx, size.memoryCertificates, waitLimit, allFailed(size.memoryNodes)); err != nil {
		return err
	}
	if err := s.memory(what+", all failed with messages of 300 B, all statuses written", false); err != nil {
		return err
	}
	s.stopController()
	if err := s.start(ctx, what+", all failed, after a start"); err != nil {
		return err
	}
	s.stopController()
	return s.start(ctx, what+", all failed, after a start with GOMEMLIMIT=450MiB", "GOMEMLIMIT=450MiB")
}

// start starts the controller, and measures when it knows all nodes.
func (s *site) start(ctx context.Context, what string, environment ...string) error {
	begin := time.Now()
	if err := s.startController(ctx, environment...); err != nil {
		return err
	}
	err := wait.PollUntilContextTimeout(ctx, 200*time.Millisecond, waitLimit, true, func(ctx context.Context) (bool, error) {
		reporting, err := s.controller.Metric(ctx, `vaultpane_agent_nodes{state="reporting"}`)
		return int(reporting) == s.fleet.Size(), err
	})
	if err != nil {
		return fmt.Errorf("waiting for the controller to know all nodes: %w", err)
	}
	cpu, err := s.controller.ProcessorTime()
	if err != nil {
		return err
	}
	fmt.Printf("bench: the controller knows all nodes after %.1f s and %.1f s of processor time; load average %s\n", time.Since(begin).Seconds(), cpu.Seconds(), load())
	return s.memory(what, false)
}

// memory adds a row; the goal is that of the fleet in which all is well.
func (s *site) memory(what string, goal bool) error {
	resident, err := s.controller.ResidentBytes()
	if err != nil {
		return err
	}
	peak, err := s.controller.PeakBytes()
	if err != nil {
		return err
	}
	what = "resident memory of the controller, and the most so far, " + what
	measured := fmt.Sprintf("%.0f MB, %.0f MB", megabytes(resident), megabytes(peak))
	if !goal {
		s.Note(what, measured)
		return nil
	}
	s.Add(what, measured, "≤ 512 MB", megabytes(resident) <= 512)
	return nil
}

// allFailed reports whether a status shows that all nodes have failed.
func allFailed(nodes int) func(*v1alpha1.ObservedCertificate) bool {
	return func(certificate *v1alpha1.ObservedCertificate) bool {
		status := certificate.Status
		return status.Nodes != nil && int(status.Nodes.Failed) == nodes && meta.IsStatusConditionFalse(status.Conditions, v1alpha1.ConditionReady)
	}
}
