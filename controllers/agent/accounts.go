package agent

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// How long an answer about an account counts: a domain is not asked at each look at each certificate, and a service that was
// just installed gets its right soon.
const (
	knownFor   = 10 * time.Minute
	unknownFor = 30 * time.Second
)

// accounts remembers the security identifiers of accounts. It can be lost at any time.
type accounts struct {
	mu      sync.Mutex
	answers map[string]accountAnswer
}

type accountAnswer struct {
	sid  string // the last that was known, empty for none
	err  error  // what the last answer was, nil for a SID
	till time.Time
}

// resolve asks the machine for an account, or remembers. A SID that was known is returned beside an error too: a domain
// controller that is away, or an account that is made anew, must not cost anybody a right that is in use. One account whose
// domain takes its time holds up no other.
func (a *accounts) resolve(machine certstore.Machine, name string, now time.Time) (sid string, err error) {
	key := strings.ToLower(name)
	known := a.remembered(key)
	if now.Before(known.till) {
		return known.sid, known.err
	}
	sid, err = machine.Resolve(name)
	answer := accountAnswer{sid: sid, err: err, till: now.Add(knownFor)}
	if err != nil {
		answer.sid, answer.till = known.sid, now.Add(unknownFor)
	}
	a.remember(key, answer)
	return answer.sid, err
}

func (a *accounts) remembered(key string) accountAnswer {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.answers[key]
}

func (a *accounts) remember(key string, answer accountAnswer) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.answers == nil {
		a.answers = map[string]accountAnswer{}
	}
	a.answers[key] = answer
}

// access is who may use a certificate's key.
type access struct {
	sids    []string // of the accounts that are known
	named   bool     // whether the spec names accounts
	settled bool     // whether sids is all: else what a key has is not to be narrowed to it
	problem error    // about accounts that are not known
}

// list returns the access as certstore.KeyAccess writes it, empty where it is left to the store.
func (a access) list(location certstore.Location) string {
	if location == certstore.LocalMachine || a.named {
		return certstore.KeyAccess(location, a.sids)
	}
	return ""
}

// join returns the access of both together.
func (a access) join(b access) access {
	return access{
		sids: append(slices.Clone(a.sids), b.sids...), named: a.named || b.named, settled: a.settled && b.settled,
		problem: a.problem, // the other one's accounts are for its own report
	}
}

// accessFor returns who may use the key of a certificate. The problem is an *accountsError or an *accountsAway.
func (a *accounts) accessFor(machine certstore.Machine, names []string, now time.Time) access {
	var unknown []string
	var away []error
	found := access{settled: true, named: len(names) > 0}
	for _, name := range names {
		sid, err := a.resolve(machine, name, now)
		if sid != "" {
			found.sids = append(found.sids, sid)
		}
		var missing *certstore.UnknownAccount
		switch {
		case err == nil:
		case errors.As(err, &missing):
			unknown = append(unknown, fmt.Sprintf(`"%s" (%v)`, name, missing.Err)) // not %q, which doubles the name's backslash
		case sid != "": // it cannot be asked for at the moment, and lacks nothing
		default:
			found.settled = false
			away = append(away, fmt.Errorf(`"%s" (%w)`, name, err))
		}
	}
	switch {
	case len(away) > 0:
		found.problem = &accountsAway{errors.Join(away...)}
	case len(unknown) > 0:
		found.problem = &accountsError{unknown}
	}
	return found
}

// accountsError names the accounts of a spec that the node does not know.
type accountsError struct{ names []string }

func (e *accountsError) Error() string {
	return "the node does not know " + few(e.names) + "; correct spec.accounts or create the account: until then the others can use the private key, and this one cannot"
}

// few names the first and counts the rest: a spec may name 64 accounts of 256 characters.
func few(names []string) string {
	const most, length = 3, 120
	var named []string
	for _, name := range names[:min(most, len(names))] {
		named = append(named, truncate.Line(name, length))
	}
	if rest := len(names) - len(named); rest > 0 {
		named = append(named, fmt.Sprintf("%d more", rest))
	}
	return strings.Join(named, ", ")
}

// accountsAway says that the node cannot find out about accounts of a spec at the moment, because their domain does not
// answer.
type accountsAway struct{ err error }

func (e *accountsAway) Error() string {
	return "the node cannot look up " + few(strings.Split(e.err.Error(), "\n")) + " at the moment; keys that are there keep their rights meanwhile, and it is tried again by itself"
}

// Unwrap returns what the machine said.
func (e *accountsAway) Unwrap() error { return e.err }
