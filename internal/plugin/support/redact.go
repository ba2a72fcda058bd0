package support

import "regexp"

// removed stands in the place of what was removed.
const removed = "(removed)"

// patterns are texts that may be secrets, each with what is put in its place.
var patterns = []struct {
	find *regexp.Regexp
	put  string
}{
	// private keys, also with line breaks as \n, and also cut off
	{regexp.MustCompile(`-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(-----END [A-Z ]*PRIVATE KEY-----|$)`), removed},
	// JSON Web Tokens (RFC 7519), such as tokens of service accounts and of Entra ID
	{regexp.MustCompile(`\beyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}(\.[0-9A-Za-z_-]*)?`), removed},
	// DER in base64, such as a PFX or a key
	{regexp.MustCompile(`\bMI[0-9A-Za-z+/]{160,}=*`), removed},
	// HTTP credentials
	{regexp.MustCompile(`(?i)\b(bearer|basic)\s+[0-9a-z._~+/=-]{8,}`), "$1 " + removed},
	// user and password in a URL, such as that of a proxy
	{regexp.MustCompile(`://[^/\s"'@]+@`), "://" + removed + "@"},
	// name=value and "name": "value"
	{regexp.MustCompile(`(?i)([0-9a-z_.-]*(?:` + secretWords + `)\\?["']?\s*[=:]\s*\\?["']?)([^\s"'\\,;&}(][^\s"'\\,;&}]*)`), "${1}" + removed},
}

// secretWords end the name of a value that is a secret. The log key secret is the name of a secret in a vault, and is none.
const secretWords = `client.?secret|passwd|password|passphrase|pwd|token|access.?key|account.?key|api.?key|shared.?key|private.?key|storage.?key|client.?assertion|connection.?string|sas|\bsig`

// secretName matches such a name.
var secretName = regexp.MustCompile(`(?i)(secret|passw|passphrase|pwd|token|credentials|(access|account|api|shared|private|storage)[_-]?key|[_.-]key$|assertion|connection[_-]?string|[_-]sas$)`)

// place matches a name whose value is a path.
var place = regexp.MustCompile(`(?i)(_FILE|_PATH)$`)

// Text removes what looks like a secret from a text.
func Text(text string) string {
	for _, pattern := range patterns {
		text = pattern.find.ReplaceAllString(text, pattern.put)
	}
	return text
}

// namesSecret reports whether an environment variable or a key of a ConfigMap is named like a secret.
func namesSecret(name string) bool { return secretName.MatchString(name) && !place.MatchString(name) }
