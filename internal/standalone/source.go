package standalone

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Source is the machine's ObservedCertificates. It implements engine.Certificates, and is safe for concurrent use.
type Source struct {
	// Labels are the machine's, which node selectors are matched with.
	Labels labels.Set

	mu         sync.Mutex
	byName     map[string]*v1alpha1.ObservedCertificate
	incomplete bool
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
	return s.incomplete || !s.loaded
}

// Replace takes over what the files hold and the polls that were requested, by name, and returns the names of certificates that are
// new or changed, and of those that are gone.
func (s *Source) Replace(found Found, requests map[string]time.Time) (changed, gone []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.byName
	s.byName, s.incomplete, s.loaded = map[string]*v1alpha1.ObservedCertificate{}, found.Incomplete, true
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
	for name := range before {
		if s.byName[name] == nil {
			gone = append(gone, name)
		}
	}
	return changed, gone
}

// ObjectOf returns a certificate of a settings file as an object, with the identity and generation that an API server would give
// it. Both are computed from what is there, so that they are the same after a restart: the UID from the name, the generation from
// the spec. It has no time of creation. requested is when a poll was asked for, zero for not.
func ObjectOf(certificate v1alpha1.ObservedCertificate, requested time.Time) *v1alpha1.ObservedCertificate {
	object := certificate.DeepCopy()
	object.UID, object.Generation = uidOf(certificate.Name), generationOf(certificate.Spec)
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

// uidOf returns a UUID of version 8, whose content is free (RFC 9562, section 5.8).
func uidOf(name string) types.UID {
	sum := sha256.Sum256([]byte("vaultpane.dev/ObservedCertificate/" + name))
	sum[6], sum[8] = sum[6]&0x0f|0x80, sum[8]&0x3f|0x80
	return types.UID(fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16]))
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
