package keyvault

import (
	"crypto/tls"
	"net/http"
	"time"
)

// This file is for test servers of other services that work together with the vaults, such as Event Grid's.

// NewVersion is a version that was added to a secret.
type NewVersion struct {
	Vault *Vault
	// Name is the secret's name as it was given, Version its new version.
	Name, Version string
	// Certificate is true for the version of a certificate, false for that of another secret.
	Certificate bool
	// NotBefore and Expires are the version's attributes, zero for none.
	NotBefore, Expires time.Time
}

// OnNewVersion calls a function after each new version in any vault, in the goroutine that put it there.
func (s *Server) OnNewVersion(watch func(NewVersion)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers = append(s.watchers, watch)
}

func (s *Server) announce(made NewVersion) {
	s.mu.Lock()
	watchers := s.watchers
	s.mu.Unlock()
	for _, watch := range watchers {
		watch(made)
	}
}

// TLSCertificate issues a certificate for localhost, any name directly below it, and 127.0.0.1, from the server's CA.
func (s *Server) TLSCertificate() (tls.Certificate, error) { return s.tls.serverCertificate(Good) }

// Caller returns the client ID to which the tenant issued a request's token for a resource, such as
// https://eventgrid.azure.net, or what is wrong with the token.
func (s *Server) Caller(r *http.Request, resource string) (clientID, problem string) {
	return s.tenant.tokens.caller(r, resource)
}

// Name returns the vault's name.
func (v *Vault) Name() string { return v.name }
