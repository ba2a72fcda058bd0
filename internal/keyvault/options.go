package keyvault

import (
	"fmt"
	"slices"
	"time"
)

// Options configure Clients.
type Options struct {
	// AllowedHosts are allowed beside DefaultAllowedHosts; NewAllowList says how they are written.
	AllowedHosts []string
	// CABundle holds PEM certificates that are trusted beside the system's, for a proxy that inspects or a test server.
	CABundle []byte
	// ChallengeHosts are the hosts whose authentication challenge may name the resource of Azure's Key Vault though they are not
	// of its domain, as test servers do: "host", "host:port" or ".suffix"; "host=https://resource" for one that may name another
	// resource. Resources of Azure's management and the like are never accepted.
	ChallengeHosts []string
	// DisableChallengeResourceVerification adds AllowedHosts to ChallengeHosts.
	DisableChallengeResourceVerification bool
	// Credential is how the agent proves who it is; empty for CredentialDefault.
	Credential Credential
	// AuthorityHost is the URL of the token authority of all vaults, empty for the one of the vault's cloud or of
	// AZURE_AUTHORITY_HOST.
	AuthorityHost string
	// Workers is how many callers there are. All but some of them can wait for one vault at the same time. 0 for no bound.
	Workers int
	// RequestsPerSecond bounds the requests to each vault, counted over ten seconds; 0 for no bound.
	RequestsPerSecond int
	// Now is the clock that says how long a vault is left alone; nil for time.Now.
	Now func() time.Time
	// Observe is told of every HTTP answer: its status code, or "error", and the time it took. Nil for nobody.
	Observe func(code string, duration time.Duration)
}

// complete checks the options and puts in what was left out.
func (o *Options) complete() error {
	if err := CheckCredential(o.Credential); err != nil {
		return fmt.Errorf("credential: %w", err)
	}
	if o.AuthorityHost != "" {
		if err := CheckAuthority(o.AuthorityHost); err != nil {
			return fmt.Errorf("authority host %q: %w", o.AuthorityHost, err)
		}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return nil
}

// resourceRule returns the rule for which resources tokens are given.
func (o *Options) resourceRule() (resourceRule, error) {
	hosts := o.ChallengeHosts
	if o.DisableChallengeResourceVerification {
		hosts = slices.Concat(hosts, o.AllowedHosts)
	}
	return newResourceRule(hosts)
}
