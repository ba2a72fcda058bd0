// Package azure holds the settings of the agent and the controller for Azure and Key Vault, and makes the vaults' clients of them.
package azure

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
	"github.com/vaultpane/vaultpane/internal/podfile"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Options are the settings.
type Options struct {
	// Credential is how the program authenticates to Azure, one of the values of --credential; empty for the default.
	Credential string
	// AuthorityHost is the URL of the token authority of all vaults, empty for the one of the vault's cloud.
	AuthorityHost string
	// VaultRequestsPerSecond limits the requests to each vault, counted over ten seconds; 0 for no limit.
	VaultRequestsPerSecond int
	// AllowedVaultHosts are allowed in addition to Azure's Key Vault domains.
	AllowedVaultHosts []string
	// CABundle is a PEM file of certificates to trust for Key Vault and the token service, empty for none.
	CABundle string
	// DisableChallengeResourceVerification are the hosts whose challenge may name Azure's Key Vault although they are not in its
	// domain: host, host:port or .suffix, host=https://resource for another resource; "true" for all AllowedVaultHosts.
	DisableChallengeResourceVerification []string
}

// AddTo adds the flags.
func (o *Options) AddTo(flags *pflag.FlagSet) {
	flags.StringVar(&o.Credential, "credential", "default", "how to authenticate to Azure: "+strings.Join(credentials(), ", "))
	flags.StringVar(&o.AuthorityHost, "authority-host", "", "URL of the token authority for all vaults; by default AZURE_AUTHORITY_HOST or that of the vault's cloud")
	flags.IntVar(&o.VaultRequestsPerSecond, "vault-requests-per-second", 100, "requests per second to each vault, counted over ten seconds as Key Vault does, which allows 400 for all its clients; 0 for no limit")
	flags.StringSliceVar(&o.AllowedVaultHosts, "allowed-vault-hosts", nil, "hosts that are allowed in addition to Azure's Key Vault domains: host, host:port, or .suffix, separated by commas")
	flags.StringVar(&o.CABundle, "ca-bundle", "", "PEM file of certificates to trust in addition to the system's for Key Vault and the token service")
	flags.StringSliceVar(&o.DisableChallengeResourceVerification, "disable-challenge-resource-verification", nil, "hosts whose authentication challenge may ask for Key Vault's token although they are not in its domain: host, host:port, or .suffix, host=https://resource for another resource, separated by commas; true for all of --allowed-vault-hosts. For test servers and private clouds only")
	flags.Lookup("disable-challenge-resource-verification").NoOptDefVal = "true"
}

// Check returns an error that names the first wrong setting, by its flag.
func (o *Options) Check() error {
	if err := o.checkAzure(); err != nil {
		return err
	}
	for _, host := range o.AllowedVaultHosts {
		if err := checkAllowedHost(host); err != nil {
			return err
		}
	}
	return nil
}

// Tidy removes spaces around the entries of lists, and empty entries, as after a trailing comma.
func (o *Options) Tidy() {
	o.AllowedVaultHosts, o.DisableChallengeResourceVerification = entries(o.AllowedVaultHosts), entries(o.DisableChallengeResourceVerification)
}

// entries returns the entries of a list without leading and trailing spaces, and without empty ones, as after a trailing comma.
func entries(list []string) []string {
	var kept []string
	for _, entry := range list {
		if entry = strings.TrimSpace(entry); entry != "" {
			kept = append(kept, entry)
		}
	}
	return kept
}

// credentials are the values of Options.Credential.
func credentials() []string {
	names := make([]string, 0, len(auth.Credentials))
	for _, name := range auth.Credentials {
		names = append(names, string(name))
	}
	return names
}

func (o *Options) checkAzure() error {
	if err := auth.CheckCredential(auth.Credential(o.Credential)); err != nil {
		return fmt.Errorf("--credential: %w", err)
	}
	if err := o.checkAuthority(os.Getenv); err != nil {
		return err
	}
	hosts, _ := o.challengeHosts()
	if err := keyvault.CheckChallengeHosts(hosts); err != nil {
		return fmt.Errorf("--disable-challenge-resource-verification: %w", err)
	}
	if o.VaultRequestsPerSecond < 0 || o.VaultRequestsPerSecond > 10000 {
		return fmt.Errorf("--vault-requests-per-second is %d, must be 0 to 10000", o.VaultRequestsPerSecond)
	}
	return nil
}

// checkAuthority checks the token authority, wherever it is set: azidentity would reject it at each request.
func (o *Options) checkAuthority(getenv func(string) string) error {
	name, authority := "--authority-host", o.AuthorityHost
	if authority == "" {
		name, authority = "AZURE_AUTHORITY_HOST", getenv("AZURE_AUTHORITY_HOST")
	}
	if authority == "" {
		return nil
	}
	if err := auth.CheckAuthority(authority); err != nil {
		return fmt.Errorf("%s is %q, %w", name, shown(authority), err)
	}
	return nil
}

// shown returns a URL as a message may show it: the part before an @ can be a password.
func shown(text string) string {
	if parsed, err := url.Parse(text); err == nil && parsed.User != nil {
		parsed.User = url.User("xxxxx")
		text = parsed.String()
	}
	return truncate.Line(text, 200)
}

// challengeHosts splits the setting's values into hosts and whether all allowed hosts are meant.
func (o *Options) challengeHosts() (hosts []string, allAllowed bool) {
	for _, value := range o.DisableChallengeResourceVerification {
		if all, err := strconv.ParseBool(strings.TrimSpace(value)); err == nil {
			allAllowed = allAllowed || all
			continue
		}
		hosts = append(hosts, value)
	}
	return hosts, allAllowed
}

// Bundle reads CABundle; nil for none.
func (o *Options) Bundle() ([]byte, error) {
	if o.CABundle == "" {
		return nil, nil
	}
	file, err := podfile.Find(o.CABundle)
	if err != nil {
		return nil, fmt.Errorf("reading --ca-bundle: %w", err)
	}
	bundle, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading --ca-bundle: %w", err)
	}
	return bundle, nil
}

// NewVaults returns the clients of all vaults, for this many workers. observe is called for every HTTP response, as
// keyvault.Options.Observe.
func (o *Options) NewVaults(workers int, observe func(code string, duration time.Duration)) (*keyvault.Clients, error) {
	bundle, err := o.Bundle()
	if err != nil {
		return nil, err
	}
	hosts, allAllowed := o.challengeHosts()
	vaults, err := keyvault.New(keyvault.Options{
		Credential: auth.Credential(o.Credential), AuthorityHost: o.AuthorityHost,
		Workers: workers, RequestsPerSecond: o.VaultRequestsPerSecond,
		AllowedHosts: o.AllowedVaultHosts, CABundle: bundle, Observe: observe,
		ChallengeHosts: hosts, DisableChallengeResourceVerification: allAllowed,
	})
	if err != nil {
		return nil, fmt.Errorf("configuring the Key Vault client: %w", err)
	}
	return vaults, nil
}
