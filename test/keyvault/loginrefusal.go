package keyvault

import "fmt"

// LoginRefusal is a refusal of a token request by Entra ID, named by its AADSTS code
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes). The texts are from reports about the
// service, with this server's names in them.
type LoginRefusal int

// Login refusals, all of them in LoginRefusals.
const (
	// WrongSecret is a client secret that the application does not have, ExpiredSecret one that has expired.
	WrongSecret   LoginRefusal = 7000215
	ExpiredSecret LoginRefusal = 7000222
	// UnknownCertificate is a client certificate that the application does not have.
	UnknownCertificate LoginRefusal = 700027
	// UnknownApplication is a client ID that the tenant does not have, DisabledApplication a disabled one.
	UnknownApplication  LoginRefusal = 700016
	DisabledApplication LoginRefusal = 7000112
	// UnknownTenant is a tenant that does not exist in this cloud.
	UnknownTenant LoginRefusal = 90002
	// NoFederation is an assertion that matches no federated credential; the next three name the part that does not match.
	NoFederation     LoginRefusal = 70021
	OtherIssuer      LoginRefusal = 700211
	OtherAudience    LoginRefusal = 700212
	OtherSubject     LoginRefusal = 700213
	ExpiredAssertion LoginRefusal = 700024
	// OtherCloud is a resource that the tenant does not have.
	OtherCloud LoginRefusal = 500011
	// ForeignUser is a user of another tenant, ConditionalAccess a user or application that a policy blocks.
	ForeignUser       LoginRefusal = 50020
	ConditionalAccess LoginRefusal = 53003
)

// LoginRefusals are all login refusals.
var LoginRefusals = []LoginRefusal{
	WrongSecret, ExpiredSecret, UnknownCertificate, UnknownApplication, DisabledApplication, UnknownTenant, NoFederation, OtherIssuer,
	OtherAudience, OtherSubject, ExpiredAssertion, OtherCloud, ForeignUser, ConditionalAccess,
}

// RefuseLogin refuses tokens to a client ID until HealLogin.
func (s *Server) RefuseLogin(clientID string, kind LoginRefusal) {
	t := s.tenant.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	t.refused[clientID] = kind
}

// HealLogin ends all login refusals.
func (s *Server) HealLogin() {
	t := s.tenant.tokens
	t.mu.Lock()
	defer t.mu.Unlock()
	clear(t.refused)
}

// RotateSigningKey makes the vaults refuse all tokens that were issued so far, as after the token service has replaced its
// signing key.
func (s *Server) RotateSigningKey() { s.tenant.tokens.forget() }

// StopLogin closes the token endpoint and its connections; StartLogin opens it again on the same port.
func (s *Server) StopLogin() { s.tenant.login.stop() }

// StartLogin undoes StopLogin.
func (s *Server) StartLogin() error { return s.tenant.login.start() }

// ClientID returns the client ID of the application that Env names.
func (s *Server) ClientID() string { return s.tenant.clientID }

// TenantID returns the ID of the server's tenant.
func (s *Server) TenantID() string { return s.tenant.id }

// Secrets returns everything that the server has issued and that must not be disclosed: its tokens, federated tokens, client
// secret and identity header. It does not include the secrets in vaults.
func (s *Server) Secrets() []string {
	t := s.tenant
	all := append(t.tokens.all(), t.clientSecret, t.identityHeader)
	t.mu.Lock()
	defer t.mu.Unlock()
	for assertion := range t.assertions {
		all = append(all, assertion)
	}
	return all
}

// refusedTo returns the refusal for a client ID, nil for none.
func (t *tenant) refusedTo(clientID string) *oauthError {
	t.tokens.mu.Lock()
	kind, ok := t.tokens.refused[clientID]
	t.tokens.mu.Unlock()
	if !ok {
		return nil
	}
	text := loginTexts[kind]
	return &oauthError{status: text.status, Error: text.code, Codes: []int{int(kind)},
		Description: fmt.Sprintf("AADSTS%d: %s", int(kind), text.text(t, clientID))}
}
