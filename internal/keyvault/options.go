package keyvault

import (
	"fmt"
	"slices"
	"time"

	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
)

// Options configure Clients.
type Options struct {
	// AllowedHosts are allowed in addition to DefaultAllowedHosts. NewAllowList documents their form.
	AllowedHosts []string
	// CABundle holds PEM certificates that are trusted in addition to the system's, for a TLS-inspecting proxy or a test server.
	CABundle []byte
	// ChallengeHosts are the hosts whose authentication challenge may name the resource of Azure's Key Vault although they are not
	// in its domain, as test servers do: "host", "host:port" or ".suffix"; "host=https://resource" for one that may name another
	// resource. Microsoft's other resources, such as Azure's management, are never accepted.
	ChallengeHosts []string
	// DisableChallengeResourceVerification adds AllowedHosts to ChallengeHosts.
	DisableChallengeResourceVerification bool
	// Credential is how the agent authenticates; empty for auth.CredentialDefault.
	Credential auth.Credential
	// AuthorityHost is the URL of the token authority for all vaults, empty for the one of the vault's cloud or of
	// AZURE_AUTHORITY_HOST.
	AuthorityHost string
	// Workers is the number of concurrent callers. A fifth of them, at least one, never waits for the same vault as the others.
	// 0 for no bound.
	Workers int
	// RequestsPerSecond bounds the requests to each vault, counted over ten seconds; 0 for no bound.
	RequestsPerSecond int
	// Now is the clock of the breakers and budgets; nil for time.Now.
	Now func() time.Time
	// Observe is called for every HTTP response with its status code, or "error", and the time it took. It may be nil.
	Observe func(code string, duration time.Duration)
}

// complete checks the options and sets defaults.
func (o *Options) complete() error {
	if err := auth.CheckCredential(o.Credential); err != nil {
		return fmt.Errorf("credential: %w", err)
	}
	if o.AuthorityHost != "" {
		if err := auth.CheckAuthority(o.AuthorityHost); err != nil {
			return fmt.Errorf("authority host %q: %w", o.AuthorityHost, err)
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// resourceRule returns the rule for the resources of tokens.
func (o *Options) resourceRule() (resourceRule, error) {
	hosts := o.ChallengeHosts
	if o.DisableChallengeResourceVerification {
		hosts = slices.Concat(hosts, o.AllowedHosts)
	}
	return newResourceRule(hosts)
}
