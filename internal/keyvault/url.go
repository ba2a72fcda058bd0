package keyvault

import (
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Alphabets of Key Vault's object names and versions
// (https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#object-identifiers).
var (
	secretName    = regexp.MustCompile(`^[0-9A-Za-z-]{1,127}$`)
	secretVersion = regexp.MustCompile(`^[0-9A-Fa-f]{32}$`)
	vaultHost     = regexp.MustCompile(`^[0-9a-z]([0-9a-z-]*[0-9a-z])?(\.[0-9a-z]([0-9a-z-]*[0-9a-z])?)*$`)
)

// SecretURL is a parsed URL of a Key Vault secret.
type SecretURL struct {
	// Host is the vault's host name in lower case, without port.
	Host string
	// Port is the port as written, empty for 443.
	Port string
	// Name is the name of the secret.
	Name string
	// Version is the version that the URL is pinned to, empty for the latest.
	Version string
}

// ParseURL parses the URL of a Key Vault secret: https://<host>[:port]/secrets/<name>[/<version>]. Port 443 is dropped, so that a
// vault has one name. The error is a Failure with InvalidURL that names the invalid part.
func ParseURL(raw string) (SecretURL, error) {
	parsed, err := url.Parse(raw)
	switch {
	case err != nil:
		return SecretURL{}, invalidURL(raw, "it is not a URL")
	case parsed.Scheme != "https":
		return SecretURL{}, invalidURL(raw, "it must begin with https://")
	case parsed.User != nil:
		return SecretURL{}, invalidURL(raw, "it must not contain a user name or password")
	case parsed.RawQuery != "" || parsed.ForceQuery || strings.Contains(raw, "#"):
		return SecretURL{}, invalidURL(raw, "it must not have a query or a fragment")
	}
	host := lower(parsed.Hostname())
	if !vaultHost.MatchString(host) {
		return SecretURL{}, invalidURL(raw, "it has no valid host name")
	}
	port := parsed.Port()
	if number, err := strconv.Atoi(port); port != "" && (err != nil || number < 1 || number > 65535) {
		return SecretURL{}, invalidURL(raw, "its port is not between 1 and 65535")
	}
	if port == "443" {
		port = ""
	}
	name, version, err := parsePath(raw, parsed.EscapedPath())
	if err != nil {
		return SecretURL{}, err
	}
	return SecretURL{Host: host, Port: port, Name: name, Version: version}, nil
}

func parsePath(raw, path string) (name, version string, err error) {
	parts := strings.Split(path, "/")
	if len(parts) > 1 && (parts[1] == "certificates" || parts[1] == "keys") {
		return "", "", invalidURL(raw, "it points to /"+parts[1]+"/, which does not hold the private key: use the secret of the same name under /secrets/")
	}
	if len(parts) < 3 || len(parts) > 4 || parts[1] != "secrets" || !secretName.MatchString(parts[2]) {
		return "", "", invalidURL(raw, "its path must be /secrets/<name> or /secrets/<name>/<version>, with a name of 1 to 127 letters, digits and hyphens")
	}
	if len(parts) == 4 {
		if !secretVersion.MatchString(parts[3]) {
			return "", "", invalidURL(raw, "its version must be 32 hexadecimal digits")
		}
		version = strings.ToLower(parts[3])
	}
	return parts[2], version, nil
}

// lower returns a host name in lower case, as DNS compares it: ASCII only. strings.ToLower would also turn other characters into
// ASCII letters, such as the Kelvin sign.
func lower(host string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, host)
}

func invalidURL(raw, why string) error {
	return &Failure{Reason: v1alpha1.ReasonInvalidURL, Message: "the URL " + strconv.Quote(truncate.Line(redactUser(raw), exchange.MaxText)) + " cannot be used: " + why}
}

// redactUser removes the user information before the host, which may hold a password.
func redactUser(raw string) string {
	scheme, rest, found := strings.Cut(raw, "://")
	if !found {
		return raw
	}
	host, path, _ := strings.Cut(rest, "/")
	if at := strings.LastIndex(host, "@"); at >= 0 {
		return scheme + "://***" + host[at:] + "/" + path
	}
	return raw
}

// Authority returns the vault's host, with its port if it has one.
func (u SecretURL) Authority() string {
	if u.Port == "" {
		return u.Host
	}
	return net.JoinHostPort(u.Host, u.Port)
}

// String returns the URL in its shortest form, the same for all spellings.
func (u SecretURL) String() string {
	text := "https://" + u.Authority() + "/secrets/" + u.Name
	if u.Version != "" {
		text += "/" + u.Version
	}
	return text
}
