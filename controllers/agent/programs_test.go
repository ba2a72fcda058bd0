package agent_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
)

// programs are those of a machine that use certificates.
type programs struct {
	mu       sync.Mutex
	seen     map[string]usedby.Seen // by the use's name
	broken   map[string]error       // when switched
	switched []string               // the uses and thumbprints, in their order
}

var _ usedby.Programs = (*programs)(nil)

// Read implements usedby.Programs.
func (p *programs) Read(use usedby.Use) (usedby.Seen, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[use.String()], nil
}

// Switch implements usedby.Programs.
func (p *programs) Switch(_ context.Context, use usedby.Use, seen usedby.Seen, ref certstore.Ref, thumbprint string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := use.String()
	if err := p.broken[name]; err != nil {
		return err
	}
	now := p.seen[name]
	if now.Thumbprint != seen.Thumbprint {
		return errors.New("another program has changed it")
	}
	now.Exists, now.Thumbprint, now.Interrupted = true, thumbprint, false
	if use.Kind == usedby.HTTPSys {
		now.Store = ref.Name
	}
	p.configureLocked(name, now)
	p.switched = append(p.switched, name+" "+thumbprint)
	return nil
}

// Resume implements usedby.Programs.
func (p *programs) Resume(context.Context) error { return nil }

// configure sets how the machine has configured a use.
func (p *programs) configure(name string, seen usedby.Seen) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen.Exists = true
	p.configureLocked(name, seen)
}

func (p *programs) configureLocked(name string, seen usedby.Seen) {
	if p.seen == nil {
		p.seen = map[string]usedby.Seen{}
	}
	p.seen[name] = seen
}

// breakSwitch has switching a use fail; nil has it work again.
func (p *programs) breakSwitch(name string, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken == nil {
		p.broken = map[string]error{}
	}
	p.broken[name] = err
}

// has returns the certificate that a use is configured with.
func (p *programs) has(name string) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen[name].Thumbprint
}

func (p *programs) switches() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.switched)
}

// addTo adds what the programs use to the bindings of a machine. A service is none.
func (p *programs) addTo(bindings map[string][]string) map[string][]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := maps.Clone(bindings)
	for name, seen := range p.seen {
		if seen.Thumbprint == "" || strings.HasPrefix(name, string(usedby.Service)) {
			continue
		}
		if all == nil {
			all = map[string][]string{}
		}
		all[seen.Thumbprint] = append(slices.Clone(all[seen.Thumbprint]), name)
	}
	return all
}
