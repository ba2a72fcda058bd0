// Package accounts turns the accounts of a spec into the access list of a private key, and caches the lookups.
package accounts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// How long a lookup is cached: so that a domain is not queried each time a certificate is processed, and a service that was just
// installed gets access soon.
const (
	knownFor   = 10 * time.Minute
	unknownFor = 30 * time.Second
)

// Resolver looks accounts up and caches their security identifiers (SIDs). The zero value is ready to use, and it is safe for
// concurrent use.
type Resolver struct {
	mu     sync.Mutex
	cached map[string]lookup
}

type lookup struct {
	sid     string // the last that was known, empty for none
	err     error  // of the last lookup, nil where it found a SID
	expires time.Time
}

// Access is who may use a private key.
type Access struct {
	// Settled is true where every account was looked up. Otherwise the rights of an existing key must not be narrowed.
	Settled bool
	// Err names the accounts that could not be resolved: an *Unknown or an *Unavailable, nil for none.
	Err error

	sids  []string // of the accounts that are known
	named bool     // whether the spec names accounts
}

// Of returns who may use the key of a certificate whose spec names these accounts.
func (r *Resolver) Of(machine certstore.Machine, names []string, now time.Time) Access {
	var unknown []string
	var unavailable []error
	found := Access{Settled: true, named: len(names) > 0}
	for _, name := range names {
		sid, err := r.resolve(machine, name, now)
		if sid != "" {
			found.sids = append(found.sids, sid)
		}
		var missing *certstore.UnknownAccount
		switch {
		case err == nil:
		case errors.As(err, &missing):
			unknown = append(unknown, fmt.Sprintf(`"%s" (%v)`, name, missing.Err)) // not %q, which doubles the name's backslash
		case sid != "": // it cannot be looked up at the moment, and keeps the access that it has
		default:
			found.Settled = false
			unavailable = append(unavailable, fmt.Errorf(`"%s" (%w)`, name, err))
		}
	}
	switch {
	case len(unavailable) > 0:
		found.Err = &Unavailable{errors.Join(unavailable...)}
	case len(unknown) > 0:
		found.Err = &Unknown{unknown}
	}
	return found
}

// List returns the access as certstore.KeyAccess writes it, empty where it is left to the store.
func (a Access) List(location certstore.Location) string {
	if location == certstore.LocalMachine || a.named {
		return certstore.KeyAccess(location, a.sids)
	}
	return ""
}

// Join returns the access of both together, with the error of a: the other's accounts belong in its own report.
func (a Access) Join(b Access) Access {
	return Access{
		sids: append(slices.Clone(a.sids), b.sids...), named: a.named || b.named, Settled: a.Settled && b.Settled, Err: a.Err,
	}
}

// resolve looks an account up, or uses the cache. A SID that was known is returned together with an error: a domain controller
// that is unreachable, or an account that is created again, must not remove access that is in use. The lock is not held during
// the lookup, so that a slow domain delays only its own accounts.
func (r *Resolver) resolve(machine certstore.Machine, name string, now time.Time) (sid string, err error) {
	key := strings.ToLower(name)
	known := r.get(key)
	if now.Before(known.expires) {
		return known.sid, known.err
	}
	sid, err = machine.Resolve(name)
	found := lookup{sid: sid, err: err, expires: now.Add(knownFor)}
	if err != nil {
		found.sid, found.expires = known.sid, now.Add(unknownFor)
	}
	r.put(key, found)
	return found.sid, err
}

func (r *Resolver) get(key string) lookup {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.cached[key]
}

func (r *Resolver) put(key string, found lookup) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.cached == nil {
		r.cached = map[string]lookup{}
	}
	r.cached[key] = found
}
