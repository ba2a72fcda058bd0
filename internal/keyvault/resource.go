package keyvault

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// resourceRule decides for which resource a vault may receive a token. The vault's challenge names the resource, so without the
// rule any allowed host could request tokens for Azure's management, or for another vault.
type resourceRule struct {
	relaxed    AllowList            // hosts that may name Azure's Key Vault although they are not in its domain
	additional map[string]AllowList // by resource: the hosts that may name it too
}

// microsoftDomains are the domains of the resources of Azure and Microsoft 365: management, directory, storage and all others. Of
// these only Key Vault's own is ever accepted.
var microsoftDomains = []string{
	"azure.com", "azure.net", "windows.net", "microsoft.com", "microsoftonline.com", "office.com", "office.net", "office365.com",
	"sharepoint.com", "dynamics.com", "visualstudio.com", "azure-api.net", "azurewebsites.net", "cloudapp.net",
	"azure.cn", "chinacloudapi.cn", "microsoftonline.cn", "microsoftazure.cn",
	"azure.us", "usgovcloudapi.net", "microsoft.us", "microsoftonline.us", "microsoftazure.us", "office365.us",
	"azure.de", "cloudapi.de", "microsoftazure.de", "microsoftonline.de",
}

// resourcePath is what may follow the host of a private cloud's resource: Azure Stack Hub puts an id there.
var resourcePath = regexp.MustCompile(`^(/[0-9A-Za-z_-]+)*$`)

// newResourceRule parses the hosts that are exempt from the check: as in an allow-list, "host", "host:port" or ".suffix" for hosts
// that may name Azure's Key Vault, and "host=https://resource" for hosts that may name another resource.
func newResourceRule(hosts []string) (resourceRule, error) {
	rule := resourceRule{relaxed: newList(), additional: map[string]AllowList{}}
	for _, raw := range hosts {
		host, resource, another := strings.Cut(lower(strings.TrimSpace(raw)), "=")
		list := rule.relaxed
		if another {
			parsed, err := parseResource(resource)
			switch {
			case err != nil:
				return rule, fmt.Errorf("challenge resource of %q: %w", raw, err)
			case below(parsed.Hostname(), microsoftDomains):
				return rule, fmt.Errorf("challenge resource of %q: a token for a resource of Microsoft's own is never sent to another host; remove =%s, which accepts Key Vault's", raw, resource)
			}
			resource = parsed.String()
			if _, known := rule.additional[resource]; !known {
				rule.additional[resource] = newList()
			}
			list = rule.additional[resource]
		}
		if host == "" && !another {
			continue
		}
		if err := list.add(host); err != nil {
			return rule, fmt.Errorf("challenge host %q: %w", raw, err)
		}
		if !another {
			rule.relaxed = list
		} else {
			rule.additional[resource] = list
		}
	}
	return rule, nil
}

// CheckChallengeHosts returns an error for an invalid entry of Options.ChallengeHosts.
func CheckChallengeHosts(hosts []string) error {
	_, err := newResourceRule(hosts)
	return err
}

// scopeFor returns the scope of the token for a vault, or why the resource of the vault's challenge is refused. Ports do not
// count: tokens have none.
func (r resourceRule) scopeFor(vault SecretURL, resource string) (string, error) {
	parsed, err := parseResource(resource)
	if err != nil {
		return "", fmt.Errorf("the vault's challenge asks for a token for %q, which is refused: %w", truncate.Line(resource, exchange.MaxName), err)
	}
	host, scope := parsed.Hostname(), parsed.String()+"/.default"
	parent := strings.HasSuffix(vault.Host, "."+host)
	switch {
	case below(host, microsoftDomains):
		isVaults := parsed.Path == "" && (parent && strings.HasPrefix(host, "vault.") || r.relaxed.has(vault) && isAzureVaultResource(host))
		if isVaults {
			return scope, nil
		}
	case host == vault.Host || parent && strings.Contains(host, "."):
		return scope, nil
	}
	if list, ok := r.additional[parsed.String()]; ok && list.has(vault) {
		return scope, nil
	}
	return "", fmt.Errorf("the vault's challenge asks for a token for %s, which is neither Key Vault's for this vault nor the vault's own domain, so no token is requested; %s",
		truncate.Line(parsed.String(), exchange.MaxName), resourceAdvice(vault, parsed))
}

// resourceAdvice returns what to set if the resource is intended. For a resource that is never accepted it names no setting.
func resourceAdvice(vault SecretURL, resource *url.URL) string {
	const flag, inChart = "if that is intended, start the agent with --disable-challenge-resource-verification=", " (in the Helm chart: agent.disableChallengeResourceVerification, a list)"
	switch host := resource.Hostname(); {
	case isAzureVaultResource(host) && resource.Path == "":
		return flag + vault.Authority() + inChart
	case below(host, microsoftDomains):
		return "check the URL: this host is not a Key Vault, and it must not receive such a token"
	}
	return flag + vault.Authority() + "=" + truncate.Line(resource.String(), exchange.MaxName) + inChart
}

// parseResource parses a resource. It refuses forms that can hide another host or mean more than one.
func parseResource(resource string) (*url.URL, error) {
	parsed, err := url.Parse(strings.TrimSuffix(strings.TrimSuffix(resource, "/.default"), "/"))
	switch {
	case err != nil || parsed.Scheme != "https" || parsed.Opaque != "":
		return nil, errors.New("it is not a URL that begins with https://")
	case parsed.User != nil:
		return nil, errors.New("it contains a user name")
	case parsed.RawQuery != "" || parsed.ForceQuery || strings.ContainsAny(resource, "#?"):
		return nil, errors.New("it has a query or a fragment")
	case !resourcePath.MatchString(parsed.EscapedPath()):
		return nil, errors.New("it has a path that is not valid for a resource")
	}
	parsed.Host = lower(parsed.Host)
	if !vaultHost.MatchString(parsed.Hostname()) {
		return nil, errors.New("it has no valid host name")
	}
	return parsed, nil
}

// below reports whether a host is one of the domains or below one.
func below(host string, domains []string) bool {
	return slices.ContainsFunc(domains, func(domain string) bool { return host == domain || strings.HasSuffix(host, "."+domain) })
}

// isAzureVaultResource reports whether a host is that of Key Vault's resource in one of Azure's clouds.
func isAzureVaultResource(host string) bool { return slices.Contains(DefaultAllowedHosts, "."+host) }
