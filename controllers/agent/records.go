package agent

import (
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// record is what the agent remembers of one certificate between two looks at it. It can be lost at any time: the store and
// the NodeCertificateState tell the same, and what they do not tell is polled again.
type record struct {
	uid         types.UID
	generation  int64  // of the spec last acted on
	installed   int64  // generation of the spec as which a certificate was last brought into the store; 0 for none
	requestedAt string // the annotation's value last acted on
	ref         certstore.Ref
	thumbprint  string // of the certificate that should be in the store
	version     string
	mark        certstore.Mark        // that it had when it was last seen with one of this ObservedCertificate
	fetched     string                // thumbprint of what the vault last gave, also where it could not be put into the store
	fetchedAs   string                // its version
	companions  []certstore.Companion // what came along with it
	source      string                // of its mark; what it waits for before the first success
	notBefore   time.Time             // of the first poll after a start
	polledAt    time.Time             // when the last successful poll was due; zero before the first
	attempt     int                   // failures in a row
	nextAttempt time.Time             // after a failure; zero when there was none
	due         time.Time             // when the next look was asked of the queue; zero for when something changes
	terminal    bool                  // the failure waits for another spec
	repairs     int                   // of drift, one after the other
	repairedAt  time.Time
	complaints  int       // looks in a row at which an account was not known
	lookAt      time.Time // when to look for it again
	kept        string    // what was last told of certificates that are kept for what is served with them
	entry       v1alpha1.CertificateEntry
}

// looked tells whether it was found out what the certificate is, or that its spec says to leave it alone.
func (r record) looked() bool {
	return r.generation != 0 || r.entry.State == v1alpha1.StateSuspended
}

// records holds the record of each certificate.
type records struct {
	mu     sync.Mutex
	byName map[string]record
	users  map[use]map[string]bool // names by what they have
}

func (r *records) get(name string) (record, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, ok := r.byName[name]
	return found, ok
}

func (r *records) put(name string, updated record) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.byName == nil {
		r.byName = map[string]record{}
	}
	var before *record
	if known, ok := r.byName[name]; ok {
		before = &known
	}
	r.index(name, before, &updated)
	r.byName[name] = updated
}

// forget tells whether there was something to forget.
func (r *records) forget(name string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, known := r.byName[name]
	r.index(name, &before, nil)
	delete(r.byName, name)
	return known
}

// all returns a copy.
func (r *records) all() map[string]record {
	r.mu.Lock()
	defer r.mu.Unlock()
	copied := make(map[string]record, len(r.byName))
	for name, one := range r.byName {
		copied[name] = one
	}
	return copied
}
