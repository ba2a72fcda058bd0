package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
)

// leasePeriod is the time between two renewals of an agent's Lease.
const leasePeriod = 5 * time.Minute

// quiet counts what the controller writes while nothing happens: agents renew their Leases, kwok those of the nodes.
func (s *site) quiet(ctx context.Context, size scale) error {
	if err := s.settle(ctx); err != nil {
		return err
	}
	fmt.Printf("bench: watching a quiet controller for %s\n", size.quiet)
	cpu, err := s.controller.ProcessorTime()
	if err != nil {
		return err
	}
	start := time.Now()
	during, cancel := context.WithTimeout(ctx, size.quiet)
	defer cancel()
	if err := s.fleet.Renew(during, leasePeriod); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	cpuAfter, err := s.controller.ProcessorTime()
	if err != nil {
		return err
	}
	writes, err := s.audit.Since(start)
	if err != nil {
		return err
	}
	const leader = "update leases"
	s.Note(fmt.Sprintf("renewals of the controller's own Lease in a quiet %s", size.quiet), fmt.Sprint(writes[leader]))
	delete(writes, leader)
	s.Add(fmt.Sprintf("other API writes of the controller in a quiet %s, %d nodes", size.quiet, size.nodes), listed(writes), "0", len(writes) == 0)
	s.Note("processor time of a quiet controller", fmt.Sprintf("%.1f %% of a core", 100*float64(cpuAfter-cpu)/float64(size.quiet)))
	return nil
}

// settle waits until the controller has written nothing but its Lease for a while: events may still be under way.
func (s *site) settle(ctx context.Context) error {
	return wait.PollUntilContextTimeout(ctx, time.Second, waitLimit, false, func(context.Context) (bool, error) {
		writes, err := s.audit.Since(time.Now().Add(-5 * time.Second))
		delete(writes, "update leases")
		return len(writes) == 0, err
	})
}

func (s *site) resources(_ context.Context, size scale) error {
	resident, err := s.controller.ResidentBytes()
	if err != nil {
		return err
	}
	peak, err := s.controller.PeakBytes()
	if err != nil {
		return err
	}
	cpu, err := s.controller.ProcessorTime()
	if err != nil {
		return err
	}
	s.Note(fmt.Sprintf("resident memory of the controller, %d nodes × %d certificates, and the most it had", size.nodes, len(s.versions)),
		fmt.Sprintf("%.0f MB, %.0f MB", megabytes(resident), megabytes(peak)))
	s.Note("processor time of the controller for all of this", fmt.Sprintf("%.1f s", cpu.Seconds()))
	return s.kwokResources()
}

// kwokResources prints what the simulation itself takes from the machine.
func (s *site) kwokResources() error {
	resident, err := s.kwok.ResidentBytes()
	if err != nil {
		return err
	}
	cpu, err := s.kwok.ProcessorTime()
	if err != nil {
		return err
	}
	fmt.Printf("bench: kwok had %.0f MB and %.0f s of processor time; load average %s\n", megabytes(resident), cpu.Seconds(), load())
	return nil
}
