package keyvault

import (
	"net/http"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/test/internal/delay"
)

// request is what a client requests of a vault: a version of a secret, the latest if version is empty, or the list of versions.
type request struct {
	name, version string
	list          bool
}

// parseRequest reads /secrets/NAME, /secrets/NAME/VERSION and /secrets/NAME/versions. The SDK requests the latest version
// with a trailing slash.
func parseRequest(r *http.Request) (request, bool) {
	path, ok := strings.CutPrefix(r.URL.Path, "/secrets/")
	if !ok {
		return request{}, false
	}
	name, version, _ := strings.Cut(strings.TrimSuffix(path, "/"), "/")
	if name == "" || strings.Contains(version, "/") {
		return request{}, false
	}
	if version == "versions" {
		return request{name: name, list: true}, true
	}
	return request{name: name, version: version}, true
}

// ServeHTTP checks a request as Key Vault does: first the token, then the network's rules, the role and the secret.
func (v *Vault) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	faults, portal := v.before()
	if !delay.Request(r, faults.latency) {
		return
	}
	if portal {
		faults.pages.answer.send(w, false)
		return
	}
	if faults.skew != 0 {
		w.Header().Set("Date", time.Now().Add(faults.skew).UTC().Format(http.TimeFormat))
	}
	if faults.goAway {
		w.Header().Set("Connection", "close") // net/http sends GOAWAY for it
	}
	w.Header().Set("X-Ms-Keyvault-Region", region)
	w.Header().Set("X-Ms-Request-Id", newID())
	w.Header().Set("Cache-Control", "no-cache")
	clientID, message := v.server.tenant.tokens.caller(r, resources...)
	if message != "" {
		v.countUnauthorized()
		v.unauthorized(message).send(w, false)
		return
	}
	asked, result, broken := v.answer(r, clientID)
	if result.status == http.StatusUnauthorized {
		v.countUnauthorized()
	} else {
		v.countRequest(asked, result.status)
	}
	if faults.drip > 0 {
		result.drip(w, r, faults.drip)
		return
	}
	result.send(w, broken)
}

// before returns the faults, and reports whether a portal in front of the vault responds instead of it.
func (v *Vault) before() (now faults, portal bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.faults, spend(&v.faults.pages.count)
}

// answer returns the response to a request of a known caller.
func (v *Vault) answer(r *http.Request, clientID string) (asked request, result answer, broken bool) {
	asked, ok := parseRequest(r)
	switch {
	case !ok:
		return asked, failure(http.StatusNotFound, "NotFound", "", "The requested resource was not found."), false
	case r.Method != http.MethodGet:
		return asked, failure(http.StatusMethodNotAllowed, "MethodNotAllowed", "", "This server only reads."), false
	case r.URL.Query().Get("api-version") == "":
		return asked, failure(http.StatusBadRequest, "BadParameter", "", "api-version must be specified"), false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	refusal, refused := v.refusal(asked, clientID)
	broken = spend(&v.faults.resets)
	if refused {
		return asked, refusal, broken
	}
	return asked, v.render(r, asked), broken
}

// refusal returns the response that a request gets instead of a secret, if any. The caller holds the lock.
func (v *Vault) refusal(asked request, clientID string) (answer, bool) {
	switch {
	case spend(&v.faults.throttle.count):
		return v.faults.throttle.answer, true
	case spend(&v.faults.failure.count):
		return v.faults.failure.answer, true
	case spend(&v.faults.refusals):
		return refusalAnswers[v.faults.refusal](v, clientID, asked), true
	case v.faults.firewall:
		return v.refusedByFirewall(clientID), true
	case v.denied[clientID], v.faults.noLists && asked.list, v.faults.noReads && !asked.list:
		return v.refusedByRole(clientID, asked), true
	}
	found, ok := v.secrets[key(asked.name)]
	switch {
	case !ok:
		return notFound(asked), true
	case found.deleted:
		return isDeleted(asked), true
	case asked.list:
		return answer{}, false
	}
	return v.refusalOfVersion(found, asked, time.Now())
}

func (v *Vault) refusalOfVersion(in *secret, asked request, now time.Time) (answer, bool) {
	found, err := in.find(asked.version)
	switch {
	case err != nil:
		return notFound(asked), true
	case found.disabled:
		return disabledSecret(), true
	case v.faults.enforceValidity && now.Before(found.notBefore):
		return notYetValid(), true
	case v.faults.enforceValidity && !found.expires.IsZero() && now.After(found.expires):
		return expiredSecret(), true
	}
	return answer{}, false
}
