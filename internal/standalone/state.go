package standalone

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/atomicfile"
	"github.com/vaultpane/vaultpane/internal/debounce"
	"github.com/vaultpane/vaultpane/internal/nodestate"
)

// RenewInterval is the time between two writes of the state's file while nothing changes.
const RenewInterval = time.Minute

// retryInterval is the time after which a write that failed is tried again.
const retryInterval = 2 * time.Second

// Collecting: a write waits until nothing has changed for quiet, but not longer than longestWait.
const (
	quiet       = 200 * time.Millisecond
	longestWait = 2 * time.Second
)

// readable is the mode of the state's files: they hold no secret, and status reads them.
const readable = 0o644

// maxProblems is how many problems the state's file holds.
const maxProblems = 20

// State keeps the machine's NodeCertificateState in a file. It implements engine.Reports, and is safe for concurrent use.
type State struct {
	// Dir is the folder of the file. It is created.
	Dir string
	// Machine is the machine's name, and AgentVersion the agent's version.
	Machine, AgentVersion string
	// Now is the clock.
	Now func() time.Time

	mu       sync.Mutex
	entries  nodestate.Entries
	reported map[string]bool // since the start; the other entries are an earlier agent's
	problems []string
	failures int
	// certificates are those of the settings files.
	certificates []v1alpha1.ObservedCertificate
	once         sync.Once
	changed      chan struct{}
}

// Load reads what an earlier agent reported, by certificate, and when it last ran. A file that cannot be read is as good as none:
// what it held is polled again.
func (s *State) Load(log logr.Logger) (previous map[string]v1alpha1.CertificateEntry, lastAlive time.Time) {
	state, err := ReadState(s.Dir)
	if err != nil {
		log.Error(err, "Cannot read the state of the agent that ran before; certificates are polled again")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries = nodestate.Entries{}
	previous = map[string]v1alpha1.CertificateEntry{}
	if state == nil {
		return previous, time.Time{}
	}
	for _, entry := range state.Certificates {
		s.entries[entry.Name] = entry
	}
	maps.Copy(previous, s.entries)
	return previous, RenewedAt(state)
}

// Set implements engine.Reports.
func (s *State) Set(entry v1alpha1.CertificateEntry) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries == nil {
		s.entries = nodestate.Entries{}
	}
	if s.reported == nil {
		s.reported = map[string]bool{}
	}
	first := !s.reported[entry.Name]
	s.reported[entry.Name] = true
	if s.entries.Set(entry, s.Now()) || first {
		s.signal()
	}
}

// Drop implements engine.Reports.
func (s *State) Drop(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.reported, name)
	if s.entries.Drop(name) {
		s.signal()
	}
}

// Names implements engine.Reports.
func (s *State) Names() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries.Names()
}

// Entry returns the entry of a certificate, and whether it was reported since the start.
func (s *State) Entry(name string) (v1alpha1.CertificateEntry, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries[name], s.reported[name]
}

// SetProblems records what is wrong with the settings files.
func (s *State) SetProblems(problems []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if strings.Join(problems, "\n") != strings.Join(s.problems, "\n") {
		s.problems = problems
		s.signal()
	}
}

// Failures returns how many writes have failed since the start.
func (s *State) Failures() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failures
}

// signal has the writer write. The caller holds the lock.
func (s *State) signal() {
	select {
	case s.changes() <- struct{}{}:
	default:
	}
}

func (s *State) changes() chan struct{} {
	s.once.Do(func() { s.changed = make(chan struct{}, 1) })
	return s.changed
}

// Keep writes the state when it has changed, at each RenewInterval, and soon after a failure, until the context ends, and then once more.
func (s *State) Keep(ctx context.Context) {
	log, logged := logr.FromContextOrDiscard(ctx).WithName("state"), ""
	for {
		err, wait := s.write(), RenewInterval
		if err != nil {
			wait = retryInterval
		}
		switch {
		case err == nil && logged != "":
			log.Info("The state can be written again")
			logged = ""
		case err != nil && err.Error() != logged:
			log.Error(err, "Cannot write the state; certificates are kept up to date without it")
			logged = err.Error()
		}
		select {
		case <-s.changes():
			debounce.Quiet(ctx, s.changes(), quiet, time.After(longestWait))
		case <-time.After(wait):
		case <-ctx.Done():
			_ = s.write() // it is only newer than the last
			return
		}
	}
}

func (s *State) write() error {
	content, err := yaml.Marshal(s.object())
	if err == nil {
		err = MakeFolder(s.Dir)
	}
	if err == nil {
		err = atomicfile.Replace(StatePath(s.Dir), content, readable)
	}
	if err != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.failures++
	}
	return err
}

// object returns the state as it is written.
func (s *State) object() *v1alpha1.NodeCertificateState {
	s.mu.Lock()
	defer s.mu.Unlock()
	state := &v1alpha1.NodeCertificateState{
		TypeMeta:     metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "NodeCertificateState"},
		ObjectMeta:   metav1.ObjectMeta{Name: s.Machine, Annotations: map[string]string{renewedAnnotation: s.Now().UTC().Format(time.RFC3339)}},
		AgentVersion: s.AgentVersion, Certificates: s.entries.Sorted(),
	}
	if names := s.unprocessed(); len(names) > 0 {
		state.Annotations[unprocessedAnnotation] = strings.Join(names, ",")
	}
	state.Summary = nodestate.Summarize(state.Certificates)
	if shown := s.problems; len(shown) > 0 {
		if more := len(shown) - maxProblems; more > 0 {
			shown = append(shown[:maxProblems:maxProblems], fmt.Sprintf("%d more problems; the log has them", more))
		}
		state.Annotations[problemsAnnotation] = strings.Join(shown, "\n")
	}
	return state
}
