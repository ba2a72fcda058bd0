package keyvault

import (
	"fmt"
	"sync"
	"time"
)

// Vault is one vault: a listener of its own with its secrets, its faults and its counters. Its methods may be called while
// it serves requests.
type Vault struct {
	name     string
	server   *Server
	listener *listener

	mu      sync.Mutex
	secrets map[string]*secret // by lower-case name: Key Vault ignores the case
	faults  faults
	stats   Stats
	denied  map[string]bool
}

func startVault(s *Server, name string) (*Vault, error) {
	certificate, err := s.tls.serverCertificate(Good)
	if err != nil {
		return nil, err
	}
	v := &Vault{name: name, server: s, secrets: map[string]*secret{}, stats: newStats(), denied: map[string]bool{}}
	v.listener = &listener{certificate: &certificate, handler: v, accepted: v.countConnection}
	if err := v.listener.start(); err != nil {
		return nil, err
	}
	return v, nil
}

// URL returns the vault's URL, https://localhost:PORT.
func (v *Vault) URL() string { return fmt.Sprintf("https://localhost:%d", v.listener.port) }

// SecretURL returns the URL of a secret, without a version. The secret need not exist.
func (v *Vault) SecretURL(name string) string { return v.URL() + "/secrets/" + name }

// Stop closes the vault's listener and all its connections.
func (v *Vault) Stop() { v.listener.stop() }

// Start listens again on the same port; it does nothing if the vault is listening.
func (v *Vault) Start() error { return v.listener.start() }

// Disable disables a version, the latest if id is empty.
func (v *Vault) Disable(name, id string) error {
	return v.change(name, id, func(found *version) { found.disabled = true })
}

// Enable enables a version, the latest if id is empty.
func (v *Vault) Enable(name, id string) error {
	return v.change(name, id, func(found *version) { found.disabled = false })
}

// SetValidity sets the attributes nbf and exp of a version, the latest if id is empty; the zero time removes one. Key
// Vault returns the secret regardless of them, and so does this server
// (https://learn.microsoft.com/azure/key-vault/secrets/about-secrets#date-time-controlled-operations), until
// EnforceValidity.
func (v *Vault) SetValidity(name, id string, notBefore, expires time.Time) error {
	return v.change(name, id, func(found *version) { found.notBefore, found.expires = notBefore, expires })
}

// Delete deletes a secret softly: it is not found, but its name stays taken until Recover.
func (v *Vault) Delete(name string) error { return v.setDeleted(name, true) }

// Recover undoes Delete.
func (v *Vault) Recover(name string) error { return v.setDeleted(name, false) }

// Thumbprint returns the SHA-1 thumbprint of a certificate's latest version in upper-case hex; empty for a secret that is
// unknown or not a certificate.
func (v *Vault) Thumbprint(name string) string {
	v.mu.Lock()
	defer v.mu.Unlock()
	if found, ok := v.secrets[key(name)]; ok {
		return found.latest().thumbprint
	}
	return ""
}

// Versions returns a secret's versions, oldest first; none for an unknown one.
func (v *Vault) Versions(name string) []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	found, ok := v.secrets[key(name)]
	if !ok {
		return nil
	}
	ids := make([]string, 0, len(found.versions))
	for _, one := range found.versions {
		ids = append(ids, one.id)
	}
	return ids
}

// Created returns when a version was created, the zero time for an unknown one.
func (v *Vault) Created(name, id string) time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	if in, ok := v.secrets[key(name)]; ok {
		if found, err := in.find(id); err == nil {
			return found.created
		}
	}
	return time.Time{}
}

// Values returns the values of all versions of all secrets in the vault, which must not be disclosed.
func (v *Vault) Values() []string {
	v.mu.Lock()
	defer v.mu.Unlock()
	var values []string
	for _, found := range v.secrets {
		for _, one := range found.versions {
			values = append(values, one.value)
		}
	}
	return values
}
