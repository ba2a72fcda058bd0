package main

import (
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/internal/engine"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
	"github.com/vaultpane/vaultpane/internal/podfile"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// credentials are the values of options.Credential.
func credentials() []string {
	names := make([]string, 0, len(auth.Credentials))
	for _, name := range auth.Credentials {
		names = append(names, string(name))
	}
	return names
}

// CheckAzure returns an error that names the first wrong setting for Azure, by its flag.
func (o options) CheckAzure() error {
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
func (o options) checkAuthority(getenv func(string) string) error {
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
func (o options) challengeHosts() (hosts []string, allAllowed bool) {
	for _, value := range o.DisableChallengeResourceVerification {
		if all, err := strconv.ParseBool(strings.TrimSpace(value)); err == nil {
			allAllowed = allAllowed || all
			continue
		}
		hosts = append(hosts, value)
	}
	return hosts, allAllowed
}

// newVaults returns the clients of all vaults.
func newVaults(o options, counted *engine.Metrics) (*keyvault.Clients, error) {
	var bundle []byte
	if o.CABundle != "" {
		file, err := podfile.Find(o.CABundle)
		if err == nil {
			bundle, err = os.ReadFile(file)
		}
		if err != nil {
			return nil, fmt.Errorf("reading --ca-bundle: %w", err)
		}
	}
	hosts, allAllowed := o.challengeHosts()
	vaults, err := keyvault.New(keyvault.Options{
		Credential: auth.Credential(o.Credential), AuthorityHost: o.AuthorityHost,
		Workers: o.Workers, RequestsPerSecond: o.VaultRequestsPerSecond,
		AllowedHosts: o.AllowedVaultHosts, CABundle: bundle, Observe: counted.KeyVaultRequest,
		ChallengeHosts: hosts, DisableChallengeResourceVerification: allAllowed,
	})
	if err != nil {
		return nil, fmt.Errorf("configuring the Key Vault client: %w", err)
	}
	return vaults, nil
}
