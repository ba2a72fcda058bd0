// Package engine keeps the certificates of one machine. For each it goes from what an ObservedCertificate asks for and what the
// stores hold to an outcome: observe, repair, is a poll due, fetch, plan, apply, remember. It has no Kubernetes client: it reads
// ObservedCertificates through Certificates, and writes results to Reports.
//
// The phases are a file each. They take values and return values, and the decisions are pure functions: what the stores need
// is planned in certstore, whether a poll is due in due.go, and what an outcome means in remember.go.
package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/inventory"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
	"github.com/vaultpane/vaultpane/internal/engine/accounts"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// SecretSource is where certificates come from; *keyvault.Clients is one.
type SecretSource interface {
	// Get reads a secret with the identity of clientID, empty for the agent's own. An answer to a request that began at since or
	// later may be shared.
	Get(ctx context.Context, secret keyvault.SecretURL, clientID string, since time.Time) (keyvault.Secret, error)
}

// ConfigMaps are those with certificates of authorities, in one namespace of the machine's cluster.
type ConfigMaps interface {
	// Namespace is their namespace.
	Namespace() string
	// Get reads the content of a key, and the ConfigMap's revision, also with an error. The content belongs to the caller. The error is
	// a *failure.ConfigMap, or a *failure.Later if the cluster does not answer.
	Get(ctx context.Context, name, key string) (content []byte, revision string, err error)
	// Revision returns the revision that Get would return, as far as it is known without a request; empty if it is not known.
	Revision(name string) string
}

// Certificates provides the ObservedCertificates that target the machine. The objects belong to the source and must not be changed.
type Certificates interface {
	// Get returns an ObservedCertificate, nil where it does not exist or does not target this machine.
	Get(ctx context.Context, name string) (*v1alpha1.ObservedCertificate, error)
	// List returns the ObservedCertificates that target this machine, and those whose selector cannot be read: an unreadable
	// selector must not cause a removal.
	List(ctx context.Context) ([]v1alpha1.ObservedCertificate, error)
}

// Reports is where the engine reports each certificate. Implementations are safe for concurrent use.
type Reports interface {
	// Set reports an entry, under its name.
	Set(entry v1alpha1.CertificateEntry)
	// Drop removes the entry of a certificate that no longer exists or no longer targets this machine.
	Drop(name string)
	// Names returns the certificates that have an entry.
	Names() []string
}

// Options configure an Engine.
type Options struct {
	// MachineName is what the machine's polling slots are spread by: the Node's name in a cluster.
	MachineName string
	// InitialSpread is the time over which the first polls after a start are spread.
	InitialSpread time.Duration
	// Started is when this agent started, and LastAlive when its predecessor last reported that it runs, zero if unknown.
	Started, LastAlive time.Time
	// Previous are the entries that the agent reported before it was restarted, by name.
	Previous map[string]v1alpha1.CertificateEntry
	// AllowedServices are the Windows services that spec.usedBy may restart.
	AllowedServices []string
	// Incomplete reports whether there may be ObservedCertificates that Certificates does not know at the moment, as while a file
	// that lists them cannot be read. Nothing is removed for want of an owner then. nil for never.
	Incomplete func() bool
}

// Engine keeps one machine's certificates. It is safe for concurrent use, by one caller at a time for each certificate.
type Engine struct {
	Options
	// Store and Machine are the machine's stores and what surrounds them.
	Store   certstore.Store
	Machine certstore.Machine
	// Programs are those of the machine that may use certificates (spec.usedBy); nil for none.
	Programs usedby.Programs
	// Secrets is where certificates are fetched from.
	Secrets SecretSource
	// ConfigMaps has certificates of authorities in the cluster; nil without a cluster.
	ConfigMaps ConfigMaps
	// Certificates provides the ObservedCertificates that target this machine.
	Certificates Certificates
	// Publications tells what the version watch published; nil without one.
	Publications Publications
	// Reports receives what the machine has.
	Reports Reports
	// Metrics counts polls and changes of the stores.
	Metrics *Metrics
	// Now is the clock.
	Now func() time.Time

	startOnce sync.Once
	inventory *inventory.Inventory
	memory    memory
	accounts  accounts.Resolver
	searched  sync.Once   // the stores, before the first plan
	processed atomic.Bool // every certificate was processed once since the start

	sweepMu        sync.Mutex
	unneededBefore map[certstore.Remove]bool // at the previous sweep

	resuming resumeRecord // of the store check alone
}

// Result is what follows from processing a certificate.
type Result struct {
	// Next is when to process it again; zero for when its spec, its annotations or the store change.
	Next time.Time
	// Warnings are published once, as events: empty where there is nothing new to warn of.
	Warnings []failure.Failure
}

// Process brings one certificate to the desired state as far as that is due, and reports it. The certificate must target this
// machine. A result after the context has ended says nothing about the certificate.
func (e *Engine) Process(ctx context.Context, certificate *v1alpha1.ObservedCertificate) Result {
	out := e.converge(ctx, e.begin(certificate))
	if ctx.Err() != nil {
		return Result{}
	}
	return e.conclude(ctx, out)
}

// Release forgets a certificate that no longer exists or no longer targets this machine, and follows its deletion policy. One
// that was never processed is left to the store check: thousands of certificates for other machines must not cause a sweep
// each.
func (e *Engine) Release(ctx context.Context, name string) error {
	e.Reports.Drop(name)
	if !e.memory.forget(name) {
		return nil
	}
	return e.sweep(ctx)
}

// incomplete reports whether there may be certificates that are not known.
func (e *Engine) incomplete() bool { return e.Incomplete != nil && e.Incomplete() }

// OldestDue returns the earliest time at which a poll or retry is or was due, zero for none.
func (e *Engine) OldestDue() time.Time {
	var oldest time.Time
	for _, known := range e.memory.all() {
		oldest = earliest(oldest, known.due)
	}
	return oldest
}

// view returns the cached view of the stores.
func (e *Engine) view() *inventory.Inventory {
	e.startOnce.Do(func() { e.inventory = inventory.New(e.Store) })
	return e.inventory
}

// earliest returns the earlier of two times, of which zero means never.
func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}
