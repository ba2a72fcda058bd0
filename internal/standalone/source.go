package standalone

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/settings"
)

// Source is the machine's ObservedCertificates. It implements engine.Certificates, and is safe for concurrent use.
type Source struct {
	// Labels are the machine's, which node selectors are matched with.
	Labels labels.Set
	// Grace is how long a certificate must be missing in files that do not change before it is gone: a file may be written in steps, or
	// be replaced by deleting it first. Until then it stays in use.
	Grace time.Duration
	// Now is the clock.
	Now func() time.Time

	mu         sync.Mutex
	byName     map[string]*v1alpha1.ObservedCertificate
	missing    map[string]time.Time // since when, for certificates that are in use and no longer in the files
	incomplete bool
	unread     bool
	loaded     bool
}

// Get returns an ObservedCertificate, nil where it does not exist or does not target this machine.
func (s *Source) Get(_ context.Context, name string) (*v1alpha1.ObservedCertificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.byName[name], nil
}

// List returns the ObservedCertificates that target this machine, by name.
func (s *Source) List(context.Context) ([]v1alpha1.ObservedCertificate, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]v1alpha1.ObservedCertificate, 0, len(s.byName))
	for _, certificate := range s.byName {
		list = append(list, *certificate)
	}
	slices.SortFunc(list, func(a, b v1alpha1.ObservedCertificate) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

// Incomplete reports whether there may be more ObservedCertificates than are known.
func (s *Source) Incomplete() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.incomplete || !s.loaded || len(s.missing) > 0
}

// Read reports whether every path and file was right once.
func (s *Source) Read() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.loaded && !s.unread
}

// Leaving reports whether certificates are missing in the files that are not gone yet.
func (s *Source) Leaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.missing) > 0
}

// Replace takes over what the files hold and the polls that were requested, by name, and returns the names of certificates that are
// new or changed, and of those that are gone.
func (s *Source) Replace(found Found, requests map[string]time.Time) (changed, gone []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.byName
	s.byName, s.incomplete, s.unread, s.loaded = map[string]*v1alpha1.ObservedCertificate{}, found.Incomplete, found.Unread, true
	for _, certificate := range found.Certificates {
		if selector, err := certificate.Spec.NodeSelector.AsSelector(); err == nil && !selector.Matches(s.Labels) {
			continue
		}
		object := ObjectOf(certificate, requests[certificate.Name])
		s.byName[object.Name] = object
		known := before[object.Name]
		if known == nil || known.Generation != object.Generation || requestOf(known) != requestOf(object) {
			changed = append(changed, object.Name)
		}
	}
	return changed, s.leave(before, found)
}

// leave keeps the certificates that are no longer in the files for their grace, and returns those that are gone. The caller holds the
// lock.
func (s *Source) leave(before map[string]*v1alpha1.ObservedCertificate, found Found) (gone []string) {
	since := s.missing
	s.missing = map[string]time.Time{}
	present := map[types.UID]bool{}
	for _, certificate := range s.byName {
		present[certificate.UID] = true
	}
	for name, certificate := range before {
		if s.byName[name] != nil {
			continue
		}
		if present[certificate.UID] { // it has another name now
			gone = append(gone, name)
			continue
		}
		first, known := since[name]
		if !known || found.Incomplete || found.Changed || s.Now().Before(first) {
			first = s.Now()
		}
		if known && s.Now().Sub(first) >= s.Grace {
			gone = append(gone, name)
			continue
		}
		s.byName[name], s.missing[name] = certificate, first
	}
	return gone
}

// ObjectOf returns a certificate of a settings file as an object, with the identity and generation that an API server would give
// it. Both are computed from what is there, so that they are the same after a restart: the UID of a manifest from its name, the
// generation from the spec. It has no time of creation. requested is when a poll was asked for, zero for not.
func ObjectOf(certificate v1alpha1.ObservedCertificate, requested time.Time) *v1alpha1.ObservedCertificate {
	object := certificate.DeepCopy()
	object.Generation = generationOf(certificate.Spec)
	if object.UID == "" {
		object.UID = settings.UID("name", certificate.Name)
	}
	if inFile, err := time.Parse(time.RFC3339, requestOf(object)); !requested.IsZero() && (err != nil || requested.After(inFile)) {
		if object.Annotations == nil {
			object.Annotations = map[string]string{}
		}
		object.Annotations[v1alpha1.RequestedAtAnnotation] = requested.UTC().Format(time.RFC3339)
	}
	return object
}

func requestOf(object *v1alpha1.ObservedCertificate) string {
	return object.Annotations[v1alpha1.RequestedAtAnnotation]
}

// generationOf returns a positive number below 2^53, which every JSON reader keeps exactly.
func generationOf(spec v1alpha1.ObservedCertificateSpec) int64 {
	text, err := json.Marshal(spec)
	if err != nil {
		panic(err) // impossible: JSON can express every field
	}
	sum := sha256.Sum256(text)
	return int64(binary.BigEndian.Uint64(sum[:])>>12) + 1
}
