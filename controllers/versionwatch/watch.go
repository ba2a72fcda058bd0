package versionwatch

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// VersionLister lists the versions of a secret; *keyvault.Clients is one.
type VersionLister interface {
	// Versions lists with the controller's own identity.
	Versions(ctx context.Context, secret keyvault.SecretURL) ([]keyvault.Version, error)
}

// Options configure a Watch.
type Options struct {
	// Namespace is that of the agents' Leases.
	Namespace string
	// Interval is the time between two lists of a secret whose certificates name none.
	Interval time.Duration
	// Workers is how many secrets are listed at once.
	Workers int
}

// Watch lists the versions of all observed secrets while its manager leads. It is safe for concurrent use.
type Watch struct {
	client.Client
	// Vaults lists versions, always with the controller's own identity: an identity that certificates name may read values, and the
	// controller should not be able to use it.
	Vaults VersionLister
	// Changed is called with the names of certificates whose publication changed.
	Changed func(names ...string)
	// Now is the clock.
	Now func() time.Time
	// Registry takes the metrics; nil for controller-runtime's.
	Registry prometheus.Registerer
	Options

	looks       chan event.TypedGenericEvent[string] // URLs to list at once
	instruments *instruments

	mu      sync.Mutex
	records map[string]*record // by the secret's URL in its shortest form
	byKey   map[string]string  // URLs by their form in lower case: Key Vault ignores the case of names
	windows windows
	vaults  map[string]time.Time // when each vault was last on schedule, see heartbeat.go
}

// Look has the versions of a secret listed at once, after an event about it, and reports whether a certificate observes it.
// authority is the vault's host, with its port unless that is 443. It does not wait for the list.
func (w *Watch) Look(authority, name string) (observed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	url, observed := w.byKey[strings.ToLower("https://"+authority+"/secrets/"+name)]
	if !observed || w.records[url].looked {
		return observed // a list is on its way
	}
	w.records[url].looked = true
	select {
	case w.looks <- event.TypedGenericEvent[string]{Object: url}:
	default: // more secrets at once than the channel holds: one goroutine each, until the queue has taken them
		go func() { w.looks <- event.TypedGenericEvent[string]{Object: url} }()
	}
	return true
}

// begin returns when a secret is due; if it is due now, a list begins.
func (w *Watch) begin(secret keyvault.SecretURL, interval time.Duration, now time.Time) (due time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	url := secret.String()
	known, ok := w.records[url]
	if !ok {
		known = &record{secret: secret}
		w.records[url] = known
		w.byKey[strings.ToLower(url)] = url
	}
	if known.interval > interval {
		known.looked = true // the next list may be hours ahead
	}
	if known.attempted.Round(0).After(now.Round(0)) { // without the monotonic clock: the clock was set back
		known.looked, known.attempted = true, time.Time{}
	}
	known.interval = interval
	if due = known.due(); due.After(now) {
		return due
	}
	known.attempted, known.looked = now, false
	return time.Time{}
}

// conclude records the result of a list, and returns when the next one is due and whether the publication changed. nodes is how
// many nodes will fetch a new version.
func (w *Watch) conclude(url string, chosen choice, err error, nodes int) (next time.Time, changed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	known, ok := w.records[url]
	if !ok {
		return time.Time{}, false // no certificate observes it any more
	}
	before, now := *known, w.Now()
	if err != nil {
		*known = before.failed(err, now, rand.Float64()).noLaterThan(chosen.changes)
	} else {
		*known = before.succeeded(before.attempted, now, chosen)
		if chosen.version != before.choice.version {
			known.window = w.windows.reserve(before.secret.Authority(), nodes, now)
		}
	}
	known.looked = before.looked // asked for while the list was under way
	return known.due(), published(before) != published(*known)
}

// publication is what a record publishes, to compare with.
type publication struct {
	known, failing        bool
	version, rollbackFrom string
	reason                v1alpha1.Reason
	message               string
}

func published(r record) publication {
	p := publication{known: r.known(), failing: r.failing(), version: r.choice.version, rollbackFrom: r.choice.rollbackFrom}
	if p.failing {
		p.reason, p.message = r.failure.Reason, r.failure.Message
	}
	return p
}

// forget forgets a secret that no certificate observes.
func (w *Watch) forget(url string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.records, url)
	delete(w.byKey, strings.ToLower(url))
}

// record returns a copy of what is known of a secret.
func (w *Watch) record(url string) (record, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	known, ok := w.records[url]
	if !ok {
		return record{}, false
	}
	return *known, true
}
