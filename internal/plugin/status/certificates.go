package status

import (
	"slices"
	"strings"
	"sync"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Certificates collects ObservedCertificates. It may be used by several goroutines, and follows them as a cluster.Follower.
type Certificates struct {
	wanted  []string // names; empty for all
	changed func()
	mu      sync.Mutex
	all     map[string]v1alpha1.ObservedCertificate
	listing map[string]v1alpha1.ObservedCertificate // while a list is read
}

// NewCertificates returns an empty collection of the named certificates, without names of all. changed is called after each change;
// it may be nil.
func NewCertificates(names []string, changed func()) *Certificates {
	if changed == nil {
		changed = func() {}
	}
	return &Certificates{wanted: names, changed: changed, all: map[string]v1alpha1.ObservedCertificate{}}
}

// All returns the certificates, by name.
func (c *Certificates) All() []v1alpha1.ObservedCertificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	var all []v1alpha1.ObservedCertificate
	for _, certificate := range c.all {
		all = append(all, certificate)
	}
	slices.SortFunc(all, func(a, b v1alpha1.ObservedCertificate) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// Begin starts a list.
func (c *Certificates) Begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listing = map[string]v1alpha1.ObservedCertificate{}
}

// Set takes a certificate.
func (c *Certificates) Set(certificate *v1alpha1.ObservedCertificate) {
	if len(c.wanted) > 0 && !slices.Contains(c.wanted, certificate.Name) {
		return
	}
	c.mu.Lock()
	if c.listing != nil {
		c.listing[certificate.Name] = *certificate
		c.mu.Unlock()
		return
	}
	c.all[certificate.Name] = *certificate
	c.mu.Unlock()
	c.changed()
}

// Delete forgets a certificate.
func (c *Certificates) Delete(certificate *v1alpha1.ObservedCertificate) {
	c.mu.Lock()
	delete(c.all, certificate.Name)
	c.mu.Unlock()
	c.changed()
}

// Listed ends a list: certificates that were not in it are gone.
func (c *Certificates) Listed() {
	c.mu.Lock()
	c.all, c.listing = c.listing, nil
	c.mu.Unlock()
	c.changed()
}
