package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// fault is something that is broken for a while.
type fault struct {
	name string
	// place is its place among all.
	place int
	// begin breaks it, end mends it. Either may be nil.
	begin, end func(ctx context.Context, s *site) error
	// of says whether a site can have it; nil for all.
	of func(s *site) bool
	// empties means that it takes certificates out of the store by itself, so that they are missing until the agent has put them back.
	empties bool
	// reason is what the agent logs about it; empty for nothing.
	reason v1alpha1.Reason
	// kills is how often the agent is killed meanwhile, at least.
	kills int
}

// allFaults are all faults, in the order in which those of a mix begin: what is wrong in a vault before the settings change, files
// before the disk that refuses writes, and the API server last.
func allFaults() []fault {
	all := slices.Concat(vaultFaults(), contentFaults(), loginFaults(), processFaults(), storeFaults(), clusterFaults())
	for i := range all {
		all[i].place = i
	}
	return all
}

func native(s *site) bool { return s.native() }

func hasDisk(s *site) bool { return s.disk.exists() }

func inCluster(s *site) bool {
	_, is := s.front.(*member)
	return is
}

// applicable are the faults that a site can have.
func applicable(s *site) []fault {
	return slices.DeleteFunc(allFaults(), func(one fault) bool { return one.of != nil && !one.of(s) })
}

// processFaults break nothing but processes.
func processFaults() []fault {
	return []fault{
		{name: "agent killed at random moments", kills: 10},
		{name: "controller killed", of: inCluster, begin: killControllers, end: killControllers},
		{name: "settings changed in flight", begin: func(ctx context.Context, s *site) error {
			for range 5 {
				s.changeSpecs()
				_ = s.front.write(ctx, s.wishes.list()) // settle writes them again
			}
			return nil
		}},
	}
}

func killControllers(_ context.Context, s *site) error {
	s.results.kill()
	return s.front.(*member).cluster.restartController()
}

// disturb renews, changes, adds and removes certificates, so that the agent has something to write.
func (s *site) disturb(ctx context.Context) error {
	for number := range keptCertificates {
		if name := s.kept(number); !s.wishes.reserved[name] && s.random.IntN(3) == 0 {
			if err := s.put(name); err != nil {
				return err
			}
		}
	}
	s.changeSpecs()
	s.wishes.ask(time.Now().UTC().Format(time.RFC3339Nano))
	_ = s.front.write(ctx, s.wishes.list()) // it fails while the API server is away; settle writes them again
	return nil
}

// changeSpecs moves a certificate to another store, changes another, and asks for one more or no longer.
func (s *site) changeSpecs() {
	stores := []string{"MY", "WebHosting"}
	// Another store gets the newest version alone, so that one that expires in a moment is no reason to move.
	if name := s.kept(s.random.IntN(keptCertificates)); s.random.IntN(3) == 0 && !s.wishes.reserved[name] {
		s.wishes.wanted[name].Spec.CertificateStoreName = stores[s.random.IntN(len(stores))]
	}
	if s.random.IntN(3) == 0 {
		one := s.wishes.wanted[s.kept(s.random.IntN(keptCertificates))]
		one.Spec.KeyExportable = !one.Spec.KeyExportable
	}
	if s.random.IntN(3) > 0 {
		return
	}
	if s.wishes.wanted[s.passing()] != nil {
		delete(s.wishes.wanted, s.passing())
	} else {
		s.wishes.add(s.passing())
	}
}

// both joins what two steps return.
func both(one, two func() error) error { return errors.Join(one(), two()) }
