package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// challenge is the authentication challenge of a vault's 401: which token it requires
// (https://learn.microsoft.com/azure/key-vault/general/authentication-requests-and-responses).
type challenge struct {
	tenant string // empty if the challenge names none; then the identity's own is used
	scope  string
	claims string // of continuous access evaluation, usually empty
}

var (
	// bearer is the beginning of a challenge; the scheme's case does not count (RFC 9110, section 11.1).
	bearer = regexp.MustCompile(`(?i)(^|,\s*)Bearer\s+`)
	// parameter is one of a challenge's. The space between two is optional (RFC 9110, section 11.2).
	parameter = regexp.MustCompile(`([A-Za-z_]+)\s*=\s*(?:"([^"]*)"|([^\s",]+))`)
	// tenantName is a tenant's ID or one of its domain names, as the first part of the authority's path.
	tenantName = regexp.MustCompile(`^[0-9A-Za-z]([0-9A-Za-z.-]{0,252}[0-9A-Za-z])?$`)
)

// parametersOf returns the parameters of the bearer challenges of a 401, the first of each name; nil if there is no such
// challenge.
func parametersOf(header http.Header) map[string]string {
	var found map[string]string
	for _, value := range header.Values("WWW-Authenticate") {
		start := bearer.FindStringIndex(value)
		if start == nil {
			continue
		}
		if found == nil {
			found = map[string]string{}
		}
		for _, one := range parameter.FindAllStringSubmatch(value[start[1]:], -1) {
			name := strings.ToLower(one[1])
			if _, known := found[name]; !known {
				found[name] = one[2] + one[3]
			}
		}
	}
	return found
}

// readChallenge reads a 401. check decides about its resource. Of the authority that it names only the tenant is used, since the
// identity has an authority of its own. A 401 that names no resource repeats the challenge before.
func readChallenge(header http.Header, before challenge, check func(resource string) (scope string, err error)) (challenge, error) {
	parameters := parametersOf(header)
	if parameters["error"] == "insufficient_claims" {
		claims, err := base64.StdEncoding.DecodeString(parameters["claims"])
		if err != nil || len(claims) == 0 {
			return challenge{}, errors.New("the vault's authentication challenge has claims that are not base64")
		}
		before.claims = string(claims)
		return before, nil
	}
	resource := parameters["scope"]
	if resource == "" {
		resource = parameters["resource"]
	}
	if resource == "" && before.scope != "" {
		return before, nil
	}
	if resource == "" {
		return challenge{}, errors.New("the WWW-Authenticate header of the vault's response names no resource, so the response is not Key Vault's; " + exchange.CheckProxies)
	}
	scope, err := check(resource)
	if err != nil {
		return challenge{}, err
	}
	tenant, err := tenantOf(parameters["authorization"] + parameters["authorization_uri"])
	return challenge{tenant: tenant, scope: scope}, err
}

// tenantOf returns the tenant in the URL of an authority, empty if it names none.
func tenantOf(authority string) (string, error) {
	parsed, err := url.Parse(authority)
	if err != nil {
		return "", errors.New("the authority in the vault's authentication challenge is not a URL")
	}
	tenant, _, _ := strings.Cut(strings.TrimPrefix(parsed.EscapedPath(), "/"), "/")
	if tenant != "" && !tenantName.MatchString(tenant) {
		return "", fmt.Errorf("the vault's authentication challenge names the tenant %q, which is not a valid tenant", truncate.Line(tenant, exchange.MaxName))
	}
	return tenant, nil
}
