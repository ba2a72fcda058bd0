package usedby

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-logr/logr"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Follower keeps the programs of one machine on the current versions of certificates.
type Follower struct {
	// Programs are those of the machine; nil for none.
	Programs Programs
	// AllowedServices are the names of the services that may be restarted. Windows compares them without regard to case.
	AllowedServices []string
	// Switched is called after each attempt to switch a program; nil for not called.
	Switched func(kind Kind, err error)
}

// Before is what is known of the uses of a certificate from the last time.
type Before struct {
	// States are what was reported, for the version with Thumbprint.
	States     []v1alpha1.UseState
	Thumbprint string
	// Retry is when a switch that failed may be tried again; zero for at once.
	Retry time.Time
	// NextRepair is when a use that another program switched back may be switched again.
	NextRepair time.Time
}

// Result is what became of the uses of a certificate.
type Result struct {
	// States are in the order of the uses.
	States []v1alpha1.UseState
	// Switched is true if at least one use was switched, Drift if another program had switched it back before, and Failed if
	// switching one failed.
	Switched, Drift, Failed bool
	// Again is when to follow again; zero for at the next check.
	Again time.Time
}

// After returns the result together with an earlier one of the same processing, nil for none.
func (r Result) After(earlier *Result) *Result {
	if earlier != nil {
		r.Switched, r.Drift, r.Failed = r.Switched || earlier.Switched, r.Drift || earlier.Drift, r.Failed || earlier.Failed
	}
	return &r
}

// Follow switches the uses that need it to the current version, each on its own: a failure does not stop the others.
func (f Follower) Follow(ctx context.Context, uses []Use, want Want, before Before, now time.Time) Result {
	result := Result{States: make([]v1alpha1.UseState, len(uses))}
	for _, i := range servicesLast(uses) {
		seen, decision := f.decide(uses[i], want, now)
		decision = decision.postponed(uses, i, seen, result.States)
		if decision.Switch {
			decision = f.switchTo(ctx, uses[i], seen, want, before.of(i, uses[i]), before, now, &result)
		}
		if !decision.Again.IsZero() && (result.Again.IsZero() || decision.Again.Before(result.Again)) {
			result.Again = decision.Again
		}
		result.States[i] = decision.state(uses[i])
	}
	return result
}

// Differs reports whether a use must be switched now, or is in another state than was reported.
func (f Follower) Differs(uses []Use, want Want, before Before, now time.Time) bool {
	states := make([]v1alpha1.UseState, len(uses))
	for _, i := range servicesLast(uses) {
		reported := before.of(i, uses[i])
		seen, decision := f.decide(uses[i], want, now)
		decision = decision.postponed(uses, i, seen, states)
		states[i] = decision.state(uses[i])
		waits := reported.Reason == v1alpha1.ReasonRepeatedDrift && before.waits(uses[i], reported, want, now)
		if decision.Switch && (waits || before.delays(reported, want, now)) {
			continue
		}
		if decision.Switch || states[i] != reported {
			return true
		}
	}
	return len(uses) != len(before.States)
}

// Running returns the uses that run and may use an older version than the one with a thumbprint, since they read it when they started:
// services that were not restarted for it, and instances of SQL Server. A service that is not allowed is not read, and not among them.
func (f Follower) Running(uses []Use, thumbprint string) []string {
	var running []string
	for _, use := range uses {
		if f.Programs == nil || use.Kind != SQLServer && (use.Kind != Service || !f.allows(use.Target)) {
			continue
		}
		seen, err := f.Programs.Read(use)
		switch {
		case err == nil && (!seen.Exists || seen.Stopped):
		case err != nil,
			use.Kind == Service && seen.Thumbprint != thumbprint,
			use.Kind == SQLServer && seen.RestartNeeded && seen.Thumbprint == thumbprint:
			running = append(running, use.String())
		}
	}
	return running
}

// servicesLast returns the indices of uses, those of services last: a service may read what another use was switched to.
func servicesLast(uses []Use) []int {
	var order, services []int
	for i, use := range uses {
		if use.Kind == Service {
			services = append(services, i)
			continue
		}
		order = append(order, i)
	}
	return append(order, services...)
}

// postponed returns the decision for a service, which is not restarted before the instance of SQL Server that it runs has the current
// version: it would need a second restart. states are those of the uses before it.
func (d Decision) postponed(uses []Use, i int, seen Seen, states []v1alpha1.UseState) Decision {
	if !d.Switch || uses[i].Kind != Service || seen.Interrupted {
		return d
	}
	for other, use := range uses {
		if use.Kind == SQLServer && strings.EqualFold(ServiceOf(use.Target), uses[i].Target) && states[other].State != v1alpha1.UseBound {
			return Decision{State: v1alpha1.UsePending, Reason: v1alpha1.ReasonPending, Message: "it is restarted when " + use.String() + " has the current version"}
		}
	}
	return d
}

// ServiceOf returns the name of the service that runs an instance of SQL Server
// (https://learn.microsoft.com/sql/sql-server/install/instance-configuration).
func ServiceOf(instance string) string {
	const defaultInstance = "MSSQLSERVER" // whose service has its name alone
	if strings.EqualFold(instance, defaultInstance) {
		return defaultInstance
	}
	return "MSSQL$" + instance
}

func (d Decision) state(use Use) v1alpha1.UseState {
	return v1alpha1.UseState{Name: use.String(), State: d.State, Reason: d.Reason, Message: d.Message}
}

// decide reads how the machine has configured a use, and decides what follows. A service that is not allowed is not even read.
func (f Follower) decide(use Use, want Want, now time.Time) (Seen, Decision) {
	if use.Kind == Service && !f.allows(use.Target) {
		return Seen{}, failed(v1alpha1.ReasonServiceNotAllowed, fmt.Sprintf("this agent may not restart the service %s; add it to --allowed-services (agent.allowedServices of the chart)", use.Target))
	}
	if f.Programs == nil {
		return Seen{}, Decide(use, Seen{}, want, now)
	}
	seen, err := f.Programs.Read(use)
	if err != nil {
		return seen, failed(v1alpha1.ReasonProgramFailure, err.Error())
	}
	return seen, Decide(use, seen, want, now)
}

func (f Follower) allows(service string) bool {
	return slices.ContainsFunc(f.AllowedServices, func(allowed string) bool { return strings.EqualFold(allowed, service) })
}

// switchTo switches a use to the current version, and returns the decision after that. It waits after a failure, and while another
// program keeps switching it back.
func (f Follower) switchTo(ctx context.Context, use Use, seen Seen, want Want, reported v1alpha1.UseState, before Before, now time.Time, result *Result) Decision {
	if before.delays(reported, want, now) {
		result.Failed = true
		return Decision{State: reported.State, Reason: reported.Reason, Message: reported.Message, Again: before.Retry}
	}
	drift := before.drifted(use, reported, want)
	if before.waits(use, reported, want, now) {
		return Decision{
			State: v1alpha1.UsePending, Reason: v1alpha1.ReasonRepeatedDrift, Again: before.NextRepair,
			Message: "another program on the node keeps switching it to an older version; it is switched back at growing intervals",
		}
	}
	err := f.Programs.Switch(ctx, use, seen, want.Ref, want.Thumbprint)
	if f.Switched != nil {
		f.Switched(use.Kind, err)
	}
	if err != nil {
		result.Failed = true
		return failed(v1alpha1.ReasonProgramFailure, err.Error())
	}
	result.Switched, result.Drift = true, result.Drift || drift
	logr.FromContextOrDiscard(ctx).Info("Switched a program to the certificate", "use", use.String(),
		"thumbprint", want.Thumbprint, "previousThumbprint", seen.Thumbprint)
	seen, decision := f.decide(use, want, now)
	if decision.Switch {
		result.Failed = true
		return failed(v1alpha1.ReasonProgramFailure, fmt.Sprintf("it was switched to the certificate %s, and still has %q", want.Thumbprint, seen.Thumbprint))
	}
	return decision
}

// of returns what was reported of a use; Pending where the spec had another use in its place.
func (b Before) of(i int, use Use) v1alpha1.UseState {
	if i < len(b.States) && b.States[i].Name == use.String() {
		return b.States[i]
	}
	return v1alpha1.UseState{State: v1alpha1.UsePending}
}

// delays reports whether switching a use to this very version failed a short time ago.
func (b Before) delays(reported v1alpha1.UseState, want Want, now time.Time) bool {
	return reported.Reason == v1alpha1.ReasonProgramFailure && b.Thumbprint == want.Thumbprint && b.Retry.After(now)
}

// drifted reports whether another program switched a use back that had this very version, also where it was reported that it waits.
func (b Before) drifted(use Use, reported v1alpha1.UseState, want Want) bool {
	return (reported.State == v1alpha1.UseBound || reported.Reason == v1alpha1.ReasonRepeatedDrift) &&
		b.Thumbprint == want.Thumbprint && use.Kind != Service
}

// waits reports whether another program keeps switching a use back, and it is not yet to be switched again.
func (b Before) waits(use Use, reported v1alpha1.UseState, want Want, now time.Time) bool {
	return b.drifted(use, reported, want) && b.NextRepair.After(now)
}

// Reported returns what was reported of uses, in their order, where they were not followed: the spec may have changed since. One that
// is new is Pending.
func Reported(uses []Use, before []v1alpha1.UseState) []v1alpha1.UseState {
	var states []v1alpha1.UseState
	for _, use := range uses {
		state := v1alpha1.UseState{Name: use.String(), State: v1alpha1.UsePending, Reason: v1alpha1.ReasonPending}
		if i := slices.IndexFunc(before, func(one v1alpha1.UseState) bool { return one.Name == state.Name }); i >= 0 {
			state = before[i]
		}
		states = append(states, state)
	}
	return states
}

// Failures joins what failed, for one message.
func Failures(states []v1alpha1.UseState) string {
	var all []string
	for _, one := range states {
		if one.State == v1alpha1.UseFailed {
			all = append(all, one.Name+": "+one.Message)
		}
	}
	return strings.Join(all, "; ")
}

// NewlyFailed returns the uses that failed, and had not failed for the same reason before.
func NewlyFailed(before, after []v1alpha1.UseState) []v1alpha1.UseState {
	return slices.DeleteFunc(slices.Clone(after), func(one v1alpha1.UseState) bool {
		return one.State != v1alpha1.UseFailed || slices.ContainsFunc(before, func(other v1alpha1.UseState) bool {
			return other.Name == one.Name && other.State == one.State && other.Reason == one.Reason
		})
	})
}
