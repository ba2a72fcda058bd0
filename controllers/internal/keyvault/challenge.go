package keyvault

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
)

var (
	// challengeComma is a comma between two parameters of a challenge with nothing behind it.
	challengeComma = regexp.MustCompile(`",([A-Za-z])`)
	// challengeAuthority is the URL of the token authority, in which the first part of the path is the tenant.
	challengeAuthority = regexp.MustCompile(`(authorization=")([^"]*)(")`)
)

// mendChallenge makes a challenge one that the SDK understands. A blank between the parameters is optional (RFC 9110, section
// 11.2), and the SDK reads none of them without. A challenge that names no tenant is one that the SDK never learns from: each
// request would be challenged again. Where the agent's own tenant is known, it is put there.
func mendChallenge(response *http.Response, tenant string) {
	challenge := response.Header.Get("WWW-Authenticate")
	if response.StatusCode != http.StatusUnauthorized || challenge == "" {
		return
	}
	challenge = challengeComma.ReplaceAllString(challenge, `", $1`)
	if parts := challengeAuthority.FindStringSubmatch(challenge); parts != nil && tenant != "" {
		authority, err := url.Parse(parts[2])
		if err == nil && authority.Host != "" && strings.Trim(authority.Path, "/") == "" {
			challenge = strings.Replace(challenge, parts[0], parts[1]+authority.JoinPath(tenant).String()+parts[3], 1)
		}
	}
	response.Header.Set("WWW-Authenticate", challenge)
}
