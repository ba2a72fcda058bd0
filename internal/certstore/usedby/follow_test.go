package usedby_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
)

// machine has uses that are configured with older, and records what it is asked for.
type machine struct {
	refuses string // the use that cannot be switched
	seen    map[string]usedby.Seen
	did     []string
}

func (m *machine) Read(use usedby.Use) (usedby.Seen, error) {
	if seen, ok := m.seen[use.String()]; ok {
		return seen, nil
	}
	return usedby.Seen{Exists: true, Thumbprint: older}, nil
}

func (m *machine) Switch(_ context.Context, use usedby.Use, _ usedby.Seen, _ certstore.Ref, thumbprint string) error {
	if use.String() == m.refuses {
		return errors.New("refused")
	}
	m.did = append(m.did, use.String())
	if m.seen == nil {
		m.seen = map[string]usedby.Seen{}
	}
	m.seen[use.String()] = usedby.Seen{Exists: true, Thumbprint: thumbprint}
	return nil
}

func (m *machine) Resume(context.Context) error { return nil }

func TestServicesAreRestartedLast(t *testing.T) {
	database := usedby.Use{Kind: usedby.Service, Target: "mssqlserver"}
	uses := []usedby.Use{database, service, sql, rdp}
	follower := usedby.Follower{AllowedServices: []string{"MSSQLSERVER", "w3svc"}}

	t.Run("after what they read", func(t *testing.T) {
		m := &machine{}
		follower.Programs = m
		result := follower.Follow(t.Context(), uses, want, usedby.Before{}, now)
		if diff := cmp.Diff([]string{"sqlServer MSSQLSERVER", "remoteDesktop", "service mssqlserver", "service w3svc"}, m.did); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		for i, state := range result.States {
			if state != (v1alpha1.UseState{Name: uses[i].String(), State: v1alpha1.UseBound}) {
				t.Errorf("%s is %+v", uses[i], state)
			}
		}
		if follower.Differs(uses, want, usedby.Before{States: result.States, Thumbprint: current}, now) {
			t.Error("what was just done differs")
		}
	})
	t.Run("but not while their instance is not switched", func(t *testing.T) {
		m := &machine{refuses: "sqlServer MSSQLSERVER"}
		follower.Programs = m
		result := follower.Follow(t.Context(), uses, want, usedby.Before{}, now)
		if diff := cmp.Diff([]string{"remoteDesktop", "service w3svc"}, m.did); diff != "" {
			t.Errorf("order (-want +got):\n%s", diff)
		}
		if state := result.States[0]; state.State != v1alpha1.UsePending || state.Message != "it is restarted when sqlServer MSSQLSERVER has the current version" {
			t.Errorf("the service of the instance is %+v", state)
		}
		before := usedby.Before{States: result.States, Thumbprint: current, Retry: now.Add(time.Minute)}
		if follower.Differs(uses, want, before, now) {
			t.Error("what was just done differs")
		}
		if !follower.Differs(uses, want, before, now.Add(time.Minute)) {
			t.Error("the failed switch is not tried again")
		}
	})
	t.Run("unless one was left stopped", func(t *testing.T) {
		m := &machine{refuses: "sqlServer MSSQLSERVER", seen: map[string]usedby.Seen{"service mssqlserver": {Exists: true, Stopped: true, Interrupted: true}}}
		follower.Programs = m
		follower.Follow(t.Context(), uses, want, usedby.Before{}, now)
		if !slices.Contains(m.did, "service mssqlserver") {
			t.Errorf("only %v", m.did)
		}
	})
}

func TestAServiceThatIsNotAllowedIsNotEvenRead(t *testing.T) {
	m := &machine{}
	result := usedby.Follower{Programs: unreadable{m}}.Follow(t.Context(), []usedby.Use{service}, want, usedby.Before{}, now)
	if len(m.did) > 0 || result.States[0].Reason != v1alpha1.ReasonServiceNotAllowed {
		t.Errorf("did %v, and reports %+v", m.did, result.States)
	}
}

// unreadable is a machine that fails each read.
type unreadable struct{ *machine }

func (unreadable) Read(usedby.Use) (usedby.Seen, error) {
	return usedby.Seen{}, errors.New("unreadable")
}

// Another program that keeps switching a use back must not be followed in each check: that would be a fight without end.
func TestAUseThatIsSwitchedBackAgainAndAgainWaits(t *testing.T) {
	m := &machine{}
	follower := usedby.Follower{Programs: m}
	before := usedby.Before{
		States: []v1alpha1.UseState{{Name: "remoteDesktop", State: v1alpha1.UseBound}}, Thumbprint: current, NextRepair: now.Add(10 * time.Minute),
	}
	for minute := range 10 {
		at := now.Add(time.Duration(minute) * time.Minute)
		if differs := follower.Differs([]usedby.Use{rdp}, want, before, at); differs != (minute == 0) {
			t.Errorf("after %d minutes it differs: %v", minute, differs)
		}
		result := follower.Follow(t.Context(), []usedby.Use{rdp}, want, before, at)
		if state := result.States[0]; len(m.did) > 0 || state.Reason != v1alpha1.ReasonRepeatedDrift || !result.Again.Equal(before.NextRepair) {
			t.Fatalf("after %d minutes it was switched %d times, is %+v, and is looked at again at %s", minute, len(m.did), state, result.Again)
		}
		before.States = result.States
	}
	if !follower.Differs([]usedby.Use{rdp}, want, before, before.NextRepair) {
		t.Error("it is not switched back when that is due")
	}
	if result := follower.Follow(t.Context(), []usedby.Use{rdp}, want, before, before.NextRepair); !result.Switched || !result.Drift {
		t.Errorf("when it is due: %+v", result)
	}
}

func TestWhatRunsMayUseTheVersionWithWhichItStarted(t *testing.T) {
	uses := []usedby.Use{service, sql, rdp}
	for name, test := range map[string]struct {
		service, sql usedby.Seen
		want         []string
	}{
		"restarted":                  {usedby.Seen{Exists: true, Thumbprint: current}, usedby.Seen{Exists: true, Thumbprint: current}, nil},
		"not restarted":              {usedby.Seen{Exists: true, Thumbprint: older}, usedby.Seen{Exists: true, Thumbprint: current, RestartNeeded: true}, []string{"service w3svc", "sqlServer MSSQLSERVER"}},
		"never restarted":            {usedby.Seen{Exists: true}, usedby.Seen{Exists: true}, []string{"service w3svc"}},
		"neither runs":               {usedby.Seen{Exists: true, Stopped: true}, usedby.Seen{Exists: true, Thumbprint: current}, nil},
		"neither exists":             {usedby.Seen{}, usedby.Seen{}, nil},
		"an instance with another's": {usedby.Seen{}, usedby.Seen{Exists: true, Thumbprint: older, RestartNeeded: true}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			m := &machine{seen: map[string]usedby.Seen{"service w3svc": test.service, "sqlServer MSSQLSERVER": test.sql}}
			got := usedby.Follower{Programs: m, AllowedServices: []string{"w3svc"}}.Running(uses, current)
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("running (-want +got):\n%s", diff)
			}
		})
	}
	if got := (usedby.Follower{Programs: unreadable{&machine{}}}).Running(uses[:1], current); got != nil {
		t.Errorf("of a service that is not allowed, and not read: %v", got)
	}
	if got := (usedby.Follower{Programs: unreadable{&machine{}}, AllowedServices: []string{"w3svc"}}).Running(uses[:1], current); len(got) != 1 {
		t.Errorf("of a service that cannot be read: %v", got)
	}
	if got := (usedby.Follower{}).Running(uses, current); got != nil {
		t.Errorf("without programs: %v", got)
	}
}

func TestServiceOf(t *testing.T) {
	for instance, want := range map[string]string{"MSSQLSERVER": "MSSQLSERVER", "mssqlserver": "MSSQLSERVER", "SHOP": "MSSQL$SHOP"} {
		if got := usedby.ServiceOf(instance); got != want {
			t.Errorf("%s: got %s, want %s", instance, got, want)
		}
	}
}
