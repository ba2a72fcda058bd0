package doctor

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// findVaults checks that the agents may contact the vaults of all certificates, and that their names resolve on this machine.
func findVaults(s *Snapshot) []Finding {
	var findings []Finding
	users := s.usersOfHosts()
	allowed, known, err := s.AllowedVaults()
	switch {
	case err != nil:
		findings = append(findings, finding(Problem, "the agents' setting allowed-vault-hosts cannot be used: %v", err).
			do("Correct it.", s.SetVariable("'agent.allowedVaultHosts={HOST}'", "VAULTPANE_ALLOWED_VAULT_HOSTS", "HOST")))
	case known:
		findings = append(findings, s.notAllowed(allowed)...)
	}
	for _, host := range slices.Sorted(maps.Keys(s.Hosts)) {
		if s.Hosts[host] == nil {
			continue
		}
		vault, _, _ := strings.Cut(host, ".")
		findings = append(findings, finding(Warning, "%s does not resolve on this machine (%v); %s. Nodes may use other name servers", host, s.Hosts[host], usedBy(users[host])).
			do("Check the name, and that the vault exists. On a node: Resolve-DnsName "+host+".", "az keyvault show --name "+vault+" --query properties.vaultUri"))
	}
	return findings
}

// usersOfHosts returns the names of the certificates of each vault.
func (s *Snapshot) usersOfHosts() map[string][]string {
	users := map[string][]string{}
	for _, certificate := range s.Certificates {
		if secret, err := keyvault.ParseURL(certificate.Spec.URL); err == nil {
			users[secret.Host] = append(users[secret.Host], certificate.Name)
		}
	}
	return users
}

func usedBy(certificates []string) string { return "used by " + list(certificates) }

// notAllowed returns a finding for each host that no agent may contact.
func (s *Snapshot) notAllowed(allowed keyvault.AllowList) []Finding {
	users := map[string][]string{}
	why := map[string]string{}
	for _, certificate := range s.Certificates {
		secret, err := keyvault.ParseURL(certificate.Spec.URL)
		if err != nil {
			continue // the API server refuses such URLs
		}
		if err := allowed.Check(secret); err != nil {
			users[secret.Authority()] = append(users[secret.Authority()], certificate.Name)
			why[secret.Authority()] = err.Error()
		}
	}
	remedy := func(host string) string {
		text := fmt.Sprintf("Correct the URL. If %s is a vault that you trust with tokens of the agents, add it.", host)
		if len(users) > 1 {
			text += " The command replaces the list by the present one and this host: after it, run this again for the other."
		}
		return text
	}
	var findings []Finding
	for _, host := range slices.Sorted(maps.Keys(users)) {
		findings = append(findings, finding(Problem, "%s, %s", why[host], usedBy(users[host])).
			do(remedy(host), s.AllowVault(host)))
	}
	return findings
}
