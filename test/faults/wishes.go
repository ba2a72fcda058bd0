package main

import (
	"fmt"
	"maps"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

const (
	keptCertificates = 4 // nothing but the agent touches these
	openCertificates = 2 // faults remove and damage these in the store
)

// interval is how often the agents poll, in seconds. After a fault everything must be as it should within one interval.
const interval = 60

// wishes are the certificates of a site as they should be, by name.
type wishes struct {
	site     *site
	wanted   map[string]*v1alpha1.ObservedCertificate
	reserved map[string]bool // what a fault has changed in the vault: nothing else may change it
}

// makeWishes puts the certificates into the vault and asks for them.
func (s *site) makeWishes() error {
	s.wishes = wishes{site: s, wanted: map[string]*v1alpha1.ObservedCertificate{}, reserved: map[string]bool{}}
	for number := range keptCertificates {
		s.wishes.add(s.kept(number))
	}
	for number := range openCertificates {
		s.wishes.add(s.open(number))
	}
	s.wishes.add(s.passing())
	for _, name := range append(s.wishes.names(), s.open(0)) {
		if err := s.put(name); err != nil {
			return err
		}
	}
	return nil
}

func (s *site) kept(number int) string { return fmt.Sprintf("%s-kept-%d", s.short, number) }

func (s *site) open(number int) string { return fmt.Sprintf("%s-open-%d", s.short, number) }

// single is the one among those kept of which no version before the newest stays: whatever replaces it must be valid.
func (s *site) single() string { return s.kept(keptCertificates - 1) }

// passing is a certificate that is asked for now and then.
func (s *site) passing() string { return s.short + "-passing" }

// put makes a version of a certificate that is good.
func (s *site) put(name string) error {
	options := keyvault.CertificateOptions{WithChain: true}
	if s.native() && name != s.kept(0) {
		options.KeyType = keyvault.P256 // these take little time to make
	}
	if name == s.kept(1) {
		options.ContentType = keyvault.PEM
	}
	_, err := s.vault.Put(name, options)
	return err
}

func (w *wishes) add(name string) {
	history := int32(1)
	if name == w.site.single() {
		history = 0
	}
	spec := v1alpha1.ObservedCertificateSpec{
		URL: w.site.vault.SecretURL(name), CertificateStoreName: "MY", PollingIntervalInS: interval, DeletionPolicy: v1alpha1.DeletionDelete,
		RevisionHistoryLimit: &history, LinkOnRenewal: true,
	}
	if w.site.machine.Kind == node.Wine {
		spec.KeyStorageProvider = v1alpha1.ProviderCAPI // the observer under Wine signs with these keys
	}
	w.wanted[name] = &v1alpha1.ObservedCertificate{
		TypeMeta:   metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion.String(), Kind: "ObservedCertificate"},
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec,
	}
}

func (w *wishes) names() []string { return slices.Sorted(maps.Keys(w.wanted)) }

// list returns copies, so that whoever keeps them does not see later changes.
func (w *wishes) list() []*v1alpha1.ObservedCertificate {
	var all []*v1alpha1.ObservedCertificate
	for _, name := range w.names() {
		all = append(all, w.wanted[name].DeepCopy())
	}
	return all
}

// ask asks for a poll of certificates, of every one if none is named.
func (w *wishes) ask(at string, names ...string) {
	for name, one := range w.wanted {
		if len(names) == 0 || slices.Contains(names, name) {
			metav1.SetMetaDataAnnotation(&one.ObjectMeta, v1alpha1.RequestedAtAnnotation, at)
		}
	}
}

// subjects are the names in the certificates that must never be missing.
func (w *wishes) subjects() []string {
	var subjects []string
	for number := range keptCertificates {
		subjects = append(subjects, subjectOf(w.site.kept(number)))
	}
	return subjects
}

func subjectOf(name string) string { return name + ".example.com" }
