package keyvault

import (
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/uuid"
)

// tenant is the Entra ID tenant of the vaults: a token endpoint with one application, and a managed identity endpoint.
type tenant struct {
	id, clientID, clientSecret, identityHeader string
	otherID                                    string // of a tenant that is not this one
	began                                      time.Time

	tokens   *tokens
	login    *listener
	identity *listener

	machine machine

	mu         sync.Mutex
	assertions map[string]bool   // federated tokens
	accepts    func(string) bool // for further federated tokens; may be nil
	principals []*rsa.PublicKey  // of the application's certificates
}

func startTenant(ca *issuer) (*tenant, error) {
	certificate, err := ca.serverCertificate(Good)
	if err != nil {
		return nil, err
	}
	t := &tenant{
		id: uuid.NewString(), clientID: uuid.NewString(), clientSecret: randomHex(20), identityHeader: randomHex(20),
		otherID: uuid.NewString(), began: time.Now().UTC(),
		tokens: newTokens(), assertions: map[string]bool{}, machine: machine{own: true},
	}
	login := http.NewServeMux()
	login.HandleFunc("GET /{tenant}/v2.0/.well-known/openid-configuration", t.serveConfiguration)
	login.HandleFunc("GET /common/discovery/instance", t.serveInstance)
	login.HandleFunc("POST /{tenant}/oauth2/v2.0/token", t.serveToken)
	t.login = &listener{certificate: &certificate, handler: login}
	if err := t.login.start(); err != nil {
		return nil, fmt.Errorf("starting the token endpoint: %w", err)
	}
	identity := http.NewServeMux()
	identity.HandleFunc("GET /msi/token", t.serveIdentity)
	identity.HandleFunc("GET "+metadataPath, t.serveMetadata)
	identity.HandleFunc("GET /arc"+metadataPath, t.serveArc)
	t.identity = &listener{handler: identity}
	if err := t.identity.start(); err != nil {
		t.login.stop()
		return nil, fmt.Errorf("starting the managed identity endpoint: %w", err)
	}
	return t, nil
}

func (t *tenant) stop() {
	t.login.stop()
	t.identity.stop()
}

func (t *tenant) url() string { return fmt.Sprintf("https://127.0.0.1:%d", t.login.port) }

func (t *tenant) identityURL() string { return fmt.Sprintf("http://127.0.0.1:%d", t.identity.port) }

// newAssertion makes a service account's token. It has the form of a JWT and is recognized by its text.
func (t *tenant) newAssertion() string {
	part := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	assertion := part(`{"alg":"RS256","typ":"JWT"}`) + "." +
		part(`{"aud":["api://AzureADTokenExchange"],"sub":"system:serviceaccount:vaultpane-system:vaultpane-agent"}`) +
		"." + part(randomHex(32))
	t.mu.Lock()
	defer t.mu.Unlock()
	t.assertions[assertion] = true
	return assertion
}

func (t *tenant) knowsAssertion(assertion string) bool {
	t.mu.Lock()
	known, accepts := t.assertions[assertion], t.accepts
	t.mu.Unlock() // accepts may ask elsewhere
	return known || accepts != nil && accepts(assertion)
}

// serveConfiguration serves OpenID Connect's discovery.
func (t *tenant) serveConfiguration(w http.ResponseWriter, r *http.Request) {
	if r.PathValue("tenant") != t.id {
		writeJSON(w, http.StatusBadRequest, oauthError{
			Error:       "invalid_tenant",
			Description: fmt.Sprintf("AADSTS90002: Tenant '%s' not found.", r.PathValue("tenant")), Codes: []int{90002},
		})
		return
	}
	base := "https://" + r.Host + "/" + t.id // the name under which the client reached this host
	writeJSON(w, http.StatusOK, map[string]string{
		"issuer":                 base + "/v2.0",
		"authorization_endpoint": base + "/oauth2/v2.0/authorize",
		"token_endpoint":         base + "/oauth2/v2.0/token",
	})
}

// serveInstance serves Entra ID's instance discovery, in which this host is a cloud of its own.
func (t *tenant) serveInstance(w http.ResponseWriter, r *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"tenant_discovery_endpoint": t.url() + "/" + t.id + "/v2.0/.well-known/openid-configuration",
		"api-version":               "1.1",
		"metadata": []map[string]any{
			{"preferred_network": r.Host, "preferred_cache": r.Host, "aliases": []string{r.Host}},
		},
	})
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(value) // the client may have disconnected
}
