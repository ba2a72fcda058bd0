package auth

import (
	"errors"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
)

// azureCloud is one of Azure's clouds: the DNS suffix of its vaults, and its token authorities. Vaults accept tokens of their own
// cloud only. The first authority is the one that azcore knows; all have instance metadata that Microsoft publishes
// (https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud,
// https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers).
type azureCloud struct {
	vaultSuffix string
	authority   string
	aliases     []string
}

var azureClouds = []azureCloud{
	{".vault.azure.net", cloud.AzurePublic.ActiveDirectoryAuthorityHost,
		[]string{"login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net"}},
	{".vault.azure.cn", cloud.AzureChina.ActiveDirectoryAuthorityHost,
		[]string{"login.chinacloudapi.cn", "login.partner.microsoftonline.cn"}},
	{".vault.usgovcloudapi.net", cloud.AzureGovernment.ActiveDirectoryAuthorityHost,
		[]string{"login.microsoftonline.us", "login-us.microsoftonline.com"}},
}

// AuthorityFor returns the URL of the authority that issues tokens for a vault. The flag (--authority-host) applies to every
// vault. So does an AZURE_AUTHORITY_HOST that is not one of Microsoft's, such as a private cloud's or a test server's. One of
// Microsoft's own, which the workload identity webhook always sets, applies to vaults of its cloud and of unknown clouds; a
// vault of another cloud uses that cloud's authority.
func AuthorityFor(vaultHost, flag, environment string) string {
	if flag != "" {
		return flag
	}
	if isPrivateAuthority(environment) {
		return environment
	}
	for _, known := range azureClouds {
		if strings.HasSuffix(vaultHost, known.vaultSuffix) && !known.has(environment) {
			return known.authority
		}
	}
	if environment != "" {
		return environment
	}
	return cloud.AzurePublic.ActiveDirectoryAuthorityHost
}

// has reports whether an authority's URL is one of the cloud's.
func (c azureCloud) has(authority string) bool {
	parsed, err := url.Parse(authority)
	if err != nil {
		return false
	}
	for _, alias := range c.aliases {
		if strings.EqualFold(parsed.Hostname(), alias) {
			return true
		}
	}
	return false
}

// isPrivateAuthority reports whether the token authority is one that Microsoft's instance discovery cannot know, such as Azure
// Stack's or a test server's. Its configuration is trusted instead.
func isPrivateAuthority(authority string) bool {
	parsed, err := url.Parse(authority)
	if err != nil || parsed.Hostname() == "" {
		return false
	}
	for _, known := range azureClouds {
		if known.has(authority) {
			return false
		}
	}
	return true
}

const authorityForm = "must be the URL of a token authority, such as https://login.microsoftonline.us/"

// CheckAuthority returns an error for a token authority that azidentity would refuse at each request.
func CheckAuthority(authority string) error {
	parsed, err := url.Parse(authority)
	switch {
	case err != nil || parsed.Host == "" || parsed.User != nil:
		return errors.New(authorityForm)
	case parsed.Scheme != "https":
		return errors.New(authorityForm + ": it does not begin with https://")
	case strings.Trim(parsed.Path, "/") != "":
		return errors.New(authorityForm + ": it has a path; AZURE_TENANT_ID names the tenant")
	case parsed.RawQuery != "" || parsed.ForceQuery || strings.Contains(authority, "#"):
		return errors.New(authorityForm + ": it has a query or a fragment")
	}
	return nil
}
