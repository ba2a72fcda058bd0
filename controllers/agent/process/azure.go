package process

import (
	"fmt"
	"os"

	"github.com/vaultpane/vaultpane/controllers/agent"
	"github.com/vaultpane/vaultpane/controllers/internal/keyvault"
	"github.com/vaultpane/vaultpane/controllers/internal/mounted"
)

// Credentials are the values of Settings.Credential.
func Credentials() []string {
	names := make([]string, 0, len(keyvault.Credentials))
	for _, name := range keyvault.Credentials {
		names = append(names, string(name))
	}
	return names
}

// CheckAzure says which of the settings for Azure cannot be used, by its flag.
func (o Settings) CheckAzure() error {
	if err := keyvault.CheckCredential(keyvault.Credential(o.Credential)); err != nil {
		return fmt.Errorf("--credential: %w", err)
	}
	if o.AuthorityHost != "" {
		if err := keyvault.CheckAuthority(o.AuthorityHost); err != nil {
			return fmt.Errorf("--authority-host is %q, %w", o.AuthorityHost, err)
		}
	}
	if o.VaultRequestsPerSecond < 0 || o.VaultRequestsPerSecond > 10000 {
		return fmt.Errorf("--vault-requests-per-second is %d, must be 0 to 10000", o.VaultRequestsPerSecond)
	}
	return nil
}

// newVaults makes the clients of all vaults.
func newVaults(o Settings, counted *agent.Metrics) (*keyvault.Clients, error) {
	var bundle []byte
	if o.CABundle != "" {
		file, err := mounted.Find(o.CABundle)
		if err == nil {
			bundle, err = os.ReadFile(file)
		}
		if err != nil {
			return nil, fmt.Errorf("reading --ca-bundle: %w", err)
		}
	}
	vaults, err := keyvault.New(keyvault.Options{
		Credential: keyvault.Credential(o.Credential), AuthorityHost: o.AuthorityHost,
		Workers: o.Workers, RequestsPerSecond: o.VaultRequestsPerSecond,
		AllowedHosts: o.AllowedVaultHosts, CABundle: bundle, Observe: counted.KeyVaultRequest,
		DisableChallengeResourceVerification: o.DisableChallengeResourceVerification,
	})
	if err != nil {
		return nil, fmt.Errorf("configuring the Key Vault client: %w", err)
	}
	return vaults, nil
}
