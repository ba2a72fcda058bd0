package certstore

import (
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"slices"
	"testing"
	"time"
)

// sharing is a random machine with two existing ObservedCertificates and a deleted one that share certificates in two stores.
type sharing struct {
	random  *mathrand.Rand
	leaves  []*issued
	entries map[Ref]map[string]Entry
	claims  map[string]Claims // of each owner
	claimed map[string]map[Place]bool
}

var existingOwners = map[string]Owner{"web-uid": {"web", now}, "other-uid": {"other", now.Add(-time.Hour)}}

func (s *sharing) policy() string { return []string{"Retain", "Delete"}[s.random.IntN(2)] }

func (s *sharing) fill() {
	s.entries = map[Ref]map[string]Entry{my: {}, hosting: {}}
	s.claims, s.claimed = map[string]Claims{}, map[string]map[Place]bool{"web": {}, "other": {}}
	for ref := range s.entries {
		for version, leaf := range s.leaves {
			thumbprint := Thumbprint(leaf.certificate)
			if owner := []string{"", "", "web", "other", "gone", "unowned"}[s.random.IntN(6)]; owner != "" {
				mark := markOf(owner)
				mark.Version, mark.DeletionPolicy, mark.Exportable = fmt.Sprint(version), s.policy(), s.random.IntN(4) == 0
				entry := leaf.entry(&mark, []KeyState{KeyPresent, KeyPresent, KeyMissing}[s.random.IntN(3)])
				if owner == "unowned" {
					entry.Mark = nil
				}
				s.entries[ref][thumbprint] = entry
			}
			for _, owner := range []string{"web", "other"} {
				if s.random.IntN(6) != 0 {
					continue
				}
				s.claimed[owner][Place{ref, thumbprint}] = true
				mark := markOf(owner)
				mark.DeletionPolicy = s.policy()
				claims := s.claims[owner]
				claims.Add(ref, thumbprint, mark)
				s.claims[owner] = claims
			}
		}
	}
}

func (s *sharing) observed(claims Claims) Observed {
	observed := Observed{Entries: map[Ref][]Entry{}, Owners: existingOwners, Claims: claims}
	for ref, entries := range s.entries {
		observed.Entries[ref] = slices.Collect(maps.Values(entries))
	}
	return observed
}

// plan returns the actions of an owner, or of the sweep for an empty owner.
func (s *sharing) plan(t *testing.T, owner string) []Action {
	t.Helper()
	if owner == "" {
		both := Claims{}
		for _, one := range []string{"web", "other"} {
			maps.Copy(ownersOf(&both), s.claims[one].newOwners)
		}
		return PlanOrphans(s.observed(Claims{}), map[string]bool{"web-uid": true, "other-uid": true}, both)
	}
	desired := Desired{Mark: markOf(owner), Ref: []Ref{my, hosting}[s.random.IntN(2)], Bundle: s.leaves[s.random.IntN(len(s.leaves))].bundle()}
	desired.Mark.DeletionPolicy, desired.Mark.Exportable = s.policy(), s.random.IntN(4) == 0
	if limit := s.random.IntN(4); limit < 3 {
		desired.HistoryLimit = new(int32(limit))
	}
	observed := s.observed(s.claims[map[string]string{"web": "other", "other": "web"}[owner]])
	if s.random.IntN(2) == 0 {
		current := s.entries[desired.Ref][Thumbprint(desired.Bundle.Leaf)]
		return Repair(desired, &current, observed, now)
	}
	actions, err := Plan(desired, observed, now)
	if err != nil {
		return nil // a conflict, which changes nothing
	}
	return actions
}

func ownersOf(claims *Claims) map[claim]Mark {
	if claims.newOwners == nil {
		claims.newOwners = map[claim]Mark{}
	}
	return claims.newOwners
}

// TestNoPlanTakesACertificateThatAnotherOwnerUses makes random plans of two owners and the sweep for random stores. No plan
// removes a certificate that another owner has or claims, or gives it an owner that does not claim it, or changes an unowned
// one.
func TestNoPlanTakesACertificateThatAnotherOwnerUses(t *testing.T) {
	s := &sharing{random: mathrand.New(mathrand.NewPCG(3, 4))}
	for month := range 5 {
		s.leaves = append(s.leaves, issue(t, "web", now.AddDate(0, -4+month, 0), now.AddDate(0, 2+month, 0), false, nil))
	}
	removed, passed := 0, 0
	for range 20000 {
		s.fill()
		owner := []string{"web", "other", ""}[s.random.IntN(3)]
		for _, action := range s.plan(t, owner) {
			switch step := action.(type) {
			case *Remove:
				removed++
				s.keeps(t, owner, Place{step.Ref, step.Thumbprint}, "removes")
			case *Update:
				if step.Change.Mark == nil {
					continue
				}
				passed++
				if before := s.entries[step.Ref][step.Thumbprint].Mark; before != nil && before.UID != step.Change.Mark.UID {
					s.passes(t, owner, Place{step.Ref, step.Thumbprint}, *before, *step.Change.Mark)
				}
			}
			if t.Failed() {
				return
			}
		}
	}
	if removed < 1000 || passed < 1000 {
		t.Fatalf("%d removals and %d changes of marks are too few", removed, passed)
	}
}

// keeps fails if an action affects a certificate that the planner does not own, or that another owner uses.
func (s *sharing) keeps(t *testing.T, owner string, place Place, does string) {
	t.Helper()
	mark := s.entries[place.Ref][place.Thumbprint].Mark
	switch {
	case mark == nil:
		t.Errorf("the plan of %q %s another tool's certificate", owner, does)
	case owner != "" && mark.Name != owner:
		t.Errorf("the plan of %q %s a certificate of %q", owner, does, mark.Name)
	case owner == "" && mark.Name != "gone":
		t.Errorf("the sweep %s a certificate of %q, which exists", does, mark.Name)
	}
	for _, one := range []string{"web", "other"} {
		if one != owner && s.claimed[one][place] {
			t.Errorf("the plan of %q %s a certificate that %q claims", owner, does, one)
		}
	}
}

// passes fails if a certificate passes away from an existing owner, or to one that does not use it or does not exist.
func (s *sharing) passes(t *testing.T, owner string, place Place, from, to Mark) {
	t.Helper()
	switch {
	case !exists(to):
		t.Errorf("the plan of %q gives a certificate to %q, which does not exist", owner, to.Name)
	case to.Name != owner && !s.claimed[to.Name][place]:
		t.Errorf("the plan of %q gives a certificate to %q, which does not use it", owner, to.Name)
	case exists(from) && from.Name != owner:
		t.Errorf("the plan of %q takes a certificate from %q, which exists", owner, from.Name)
	}
}

func exists(mark Mark) bool {
	_, found := existingOwners[mark.UID]
	return found
}
