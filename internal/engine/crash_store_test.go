package engine

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// errKilled is what a store returns to an agent that was killed.
var errKilled = errors.New("the agent was killed")

// crashStore is a store whose agent is killed at one of its calls: no later call takes effect.
type crashStore struct {
	store    certstore.Store
	calls    int
	killAt   int  // the number of that call, counted from 1; 0 for never
	effected bool // whether that call still takes effect
	dead     bool
	last     string // the call at which it was killed
	writes   int
	changed  func(write string) // after every call that changes something
}

var _ certstore.Store = (*crashStore)(nil)

func (s *crashStore) call(what string, writes bool, do func() error) error {
	if s.dead {
		return errKilled
	}
	s.calls++
	last := s.calls == s.killAt
	if last {
		s.last = what
	}
	if last && !s.effected {
		s.dead = true
		return errKilled
	}
	err := do()
	if writes {
		s.writes++
		s.changed(what)
	}
	if last {
		s.dead = true
		return errKilled
	}
	return err
}

// List implements certstore.Store.
func (s *crashStore) List(ref certstore.Ref) (entries []certstore.Entry, err error) {
	err = s.call("List "+ref.String(), false, func() (err error) { entries, err = s.store.List(ref); return err })
	return entries, err
}

// Find implements certstore.Store.
func (s *crashStore) Find(ref certstore.Ref, thumbprint string) (entry *certstore.Entry, err error) {
	err = s.call("Find "+ref.String()+" "+thumbprint, false, func() (err error) { entry, err = s.store.Find(ref, thumbprint); return err })
	return entry, err
}

// Install implements certstore.Store.
func (s *crashStore) Install(ref certstore.Ref, item certstore.Item) (entry *certstore.Entry, err error) {
	what := "Install " + ref.String() + " " + certstore.Thumbprint(item.Certificate)
	err = s.call(what, true, func() (err error) { entry, err = s.store.Install(ref, item); return err })
	return entry, err
}

// Update implements certstore.Store.
func (s *crashStore) Update(ref certstore.Ref, thumbprint string, change certstore.Change) (entry *certstore.Entry, err error) {
	err = s.call("Update "+ref.String()+" "+thumbprint, true, func() (err error) {
		entry, err = s.store.Update(ref, thumbprint, change)
		return err
	})
	return entry, err
}

// Remove implements certstore.Store.
func (s *crashStore) Remove(ref certstore.Ref, thumbprint string) error {
	return s.call("Remove "+ref.String()+" "+thumbprint, true, func() error { return s.store.Remove(ref, thumbprint) })
}

// OrphanedKeys implements certstore.Store.
func (s *crashStore) OrphanedKeys(location certstore.Location) (names []string, err error) {
	err = s.call("OrphanedKeys "+string(location), false, func() (err error) { names, err = s.store.OrphanedKeys(location); return err })
	return names, err
}

// RemoveOrphanedKeys implements certstore.Store.
func (s *crashStore) RemoveOrphanedKeys(location certstore.Location) (removed int, err error) {
	err = s.call("RemoveOrphanedKeys "+string(location), false, func() (err error) { removed, err = s.store.RemoveOrphanedKeys(location); return err })
	return removed, err
}

// Stores implements certstore.Store.
func (s *crashStore) Stores(location certstore.Location) (refs []certstore.Ref, err error) {
	err = s.call("Stores "+string(location), false, func() (err error) { refs, err = s.store.Stores(location); return err })
	return refs, err
}

// memoryVault holds secrets by URL.
type memoryVault map[string]issuedSecret

type issuedSecret struct{ version, text string }

// Get implements SecretSource.
func (s memoryVault) Get(_ context.Context, url keyvault.SecretURL, _ string, _ time.Time) (keyvault.Secret, error) {
	found, ok := s[url.String()]
	if !ok {
		return keyvault.Secret{}, errors.New("no such secret: " + url.String())
	}
	return keyvault.Secret{Value: []byte(found.text), ContentType: bundle.ContentTypePEM, Version: found.version}, nil
}

// hierarchy issues certificates with an intermediate.
type hierarchy struct {
	t                  *testing.T
	root, intermediate *signer
}

type signer struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newHierarchy(t *testing.T) *hierarchy {
	t.Helper()
	h := &hierarchy{t: t}
	h.root = h.sign("root", noon.AddDate(-1, 0, 0), true, nil)
	h.intermediate = h.sign("intermediate", noon.AddDate(-1, 0, 0), true, h.root)
	return h
}

func (h *hierarchy) sign(name string, from time.Time, authority bool, issuer *signer) *signer {
	h.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		h.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: from, NotAfter: from.AddDate(3, 0, 0),
		IsCA: authority, BasicConstraintsValid: true,
	}
	parent := &signer{template, key}
	if issuer != nil {
		parent = issuer
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent.certificate, key.Public(), parent.key)
	if err != nil {
		h.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		h.t.Fatal(err)
	}
	return &signer{certificate, key}
}

// secret makes a version of a certificate with its chain, valid since so many days before noon.
func (h *hierarchy) secret(name, version string, daysAgo int) issuedSecret {
	h.t.Helper()
	leaf := h.sign(name, noon.AddDate(0, 0, -daysAgo), false, h.intermediate)
	key, err := x509.MarshalPKCS8PrivateKey(leaf.key)
	if err != nil {
		h.t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})
	for _, one := range []*x509.Certificate{leaf.certificate, h.intermediate.certificate, h.root.certificate} {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: one.Raw})...)
	}
	return issuedSecret{version, string(text)}
}
