package keyvault

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// What Key Vault says about a token that is not there, and about one that was.
const (
	tokenMissing = "AKV10000: Request is missing a Bearer or PoP token."
	tokenExpired = "[TokenExpired] Error validating token: 'S2S12086'."
)

// tokens are the bearer tokens that the tenant has issued. They are random: nothing can be read from them.
type tokens struct {
	mu       sync.Mutex
	issued   map[string]token
	refused  map[string]LoginRefusal // by client id
	requests int
	old      []string // which were issued and then forgotten
}

type token struct {
	clientID string
	expires  time.Time
}

func newTokens() *tokens {
	return &tokens{issued: map[string]token{}, refused: map[string]LoginRefusal{}}
}

func (t *tokens) issue(clientID string, lifetime time.Duration) string {
	text := randomHex(32)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.issued[text] = token{clientID: clientID, expires: time.Now().Add(lifetime)}
	return text
}

// caller returns the client id that a request's token was issued to, or Key Vault's text about what is wrong with it.
func (t *tokens) caller(r *http.Request) (clientID, problem string) {
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

// forget has the tenant know none of the tokens that it has issued.
func (t *tokens) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.old = append(t.old, slices.Collect(maps.Keys(t.issued))...)
	clear(t.issued)
}
