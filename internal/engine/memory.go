package engine

import (
	"maps"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// record is what the engine remembers of one certificate. It can be lost at any time: the store and the report before a restart
// hold the same, and what they do not hold is polled again.
type record struct {
	uid      types.UID
	place    place
	poll     pollRecord
	repair   repairRecord
	accounts accountRecord
	programs useRecord
	entry    v1alpha1.CertificateEntry // as reported
	kept     string                    // what was last logged of superseded certificates that are still in use
	due      time.Time                 // when the next processing was asked for; zero for when something changes
}

// place is where a certificate belongs, and what should be there.
type place struct {
	ref        certstore.Ref
	source     string         // of the mark: what it waits for before the first success
	thumbprint string         // of the certificate that should be in the store
	version    string         // of its secret
	mark       certstore.Mark // when it was last seen with the mark of this ObservedCertificate
	generation int64          // of the spec as which a certificate was last brought into the store; 0 for none
}

// pollRecord is what is known of the polls.
type pollRecord struct {
	generation  int64        // of the spec last acted on; 0 before the first poll
	requestedAt string       // the annotation's value last acted on
	revision    string       // of the ConfigMap that was last read
	notBefore   time.Time    // of the first poll after a start
	at          time.Time    // when the last successful poll was made; zero before the first
	attempt     int          // failures in a row
	nextAttempt time.Time    // after a failure; zero where there was none
	terminal    bool         // the failure waits for another spec
	seen        sighting     // of what the version watch published
	target      string       // the published version that was asked for in vain; empty where the last poll succeeded
	skipped     time.Time    // when a slot last came that needed no poll; zero for never
	fetched     vaultVersion // what the vault last returned, also where it could not be put into the store
}

// vaultVersion is a version of a certificate as the vault returned it.
type vaultVersion struct {
	thumbprint string // empty for none
	version    string
	created    int64                 // in the vault, 0 if it is not known
	companions []certstore.Companion // what belongs in the stores together with it
}

// repairRecord counts repairs of drift, one soon after the other.
type repairRecord struct {
	count int
	at    time.Time // of the last
}

// accountRecord is about accounts that could not be resolved.
type accountRecord struct {
	failures int       // lookups in a row that failed
	retry    time.Time // when to look them up again; zero for never
}

// isProcessed reports whether it is known what the certificate is, or that its spec says to leave it alone.
func (r record) isProcessed() bool {
	return r.poll.generation != 0 || r.entry.State == v1alpha1.StateSuspended
}

// memory holds the record of each certificate.
type memory struct {
	mu     sync.Mutex
	byName map[string]record
	users  map[use]map[string]bool // names by what they have
}

func (m *memory) get(name string) (record, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	found, ok := m.byName[name]
	return found, ok
}

func (m *memory) put(name string, updated record) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.byName == nil {
		m.byName = map[string]record{}
	}
	m.unindex(name)
	m.byName[name] = updated
	m.index(name, updated)
}

// forget reports whether there was something to forget.
func (m *memory) forget(name string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	_, known := m.byName[name]
	m.unindex(name)
	delete(m.byName, name)
	return known
}

// all returns a copy.
func (m *memory) all() map[string]record {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.byName)
}

// use is an index key by which ObservedCertificates that may share a key are found: a thumbprint, or the source of their marks.
type use struct {
	location certstore.Location
	what     string
}

func (r record) uses() []use {
	var uses []use
	for _, what := range []string{r.place.thumbprint, r.poll.fetched.thumbprint, r.place.source} {
		if what != "" {
			uses = append(uses, use{r.place.ref.Location, what})
		}
	}
	return uses
}

// usersOf returns the names of the ObservedCertificates that have a certificate or were given it, or that come from a source.
func (m *memory) usersOf(location certstore.Location, what string) map[string]bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	names := map[string]bool{}
	maps.Copy(names, m.users[use{location, what}])
	return names
}

// index and unindex keep users up to date. The caller holds the lock.
func (m *memory) index(name string, added record) {
	if m.users == nil {
		m.users = map[use]map[string]bool{}
	}
	for _, one := range added.uses() {
		if m.users[one] == nil {
			m.users[one] = map[string]bool{}
		}
		m.users[one][name] = true
	}
}

func (m *memory) unindex(name string) {
	for _, one := range m.byName[name].uses() {
		delete(m.users[one], name)
		if len(m.users[one]) == 0 {
			delete(m.users, one)
		}
	}
}
