package keyvault

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Key Vault's messages about a missing and about an expired token.
const (
	tokenMissing = "AKV10000: Request is missing a Bearer or PoP token."
	tokenExpired = "[TokenExpired] Error validating token: 'S2S12086'."
)

// tokens are the bearer tokens that the tenant has issued. They are random and hold no information.
type tokens struct {
	mu       sync.Mutex
	issued   map[string]token
	refused  map[string]LoginRefusal // by client ID
	requests int
	old      []string // issued, and no longer valid
}

type token struct {
	clientID string
	resource string // that accepts it
	expires  time.Time
}

func newTokens() *tokens {
	return &tokens{issued: map[string]token{}, refused: map[string]LoginRefusal{}}
}

func (t *tokens) issue(clientID, resource string, lifetime time.Duration) string {
	text := randomHex(32)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.issued[text] = token{clientID: clientID, resource: resource, expires: time.Now().Add(lifetime)}
	return text
}

// caller returns the client ID to which a request's token was issued, or Key Vault's message about the token. resources are those
// whose tokens are accepted.
func (t *tokens) caller(r *http.Request, resources ...string) (clientID, problem string) {
	text, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || text == "" {
		return "", tokenMissing
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	found, ok := t.issued[text]
	switch {
	case !ok:
		return "", "[BearerReadAccessTokenFailed] Error validating token: 'S2S12005'."
	case !time.Now().Before(found.expires):
		return "", tokenExpired
	case !slices.Contains(resources, found.resource):
		return "", "AKV10022: Invalid audience. Expected " + resources[0] + ", found: " + found.resource + "."
	}
	return found.clientID, ""
}

// all returns every token that was issued.
func (t *tokens) all() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append(slices.Clone(t.old), slices.Collect(maps.Keys(t.issued))...)
}

func (t *tokens) countRequest() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.requests++
}

func (t *tokens) requestCount() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.requests
}

// forget invalidates all tokens that the tenant has issued.
func (t *tokens) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.old = append(t.old, slices.Collect(maps.Keys(t.issued))...)
	clear(t.issued)
}
