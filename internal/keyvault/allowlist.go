package keyvault

import (
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// DefaultAllowedHosts are the DNS suffixes of Key Vault in the Azure clouds: public, China and US Government
// (https://learn.microsoft.com/azure/key-vault/general/about-keys-secrets-certificates#dns-suffixes-for-object-identifiers).
var DefaultAllowedHosts = []string{".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net"}

// AllowList is the set of hosts that the agent may contact. It is checked before a token is requested, so that no other host in a
// spec receives one.
type AllowList struct {
	suffixes    []string
	hosts       map[string]bool
	authorities map[string]bool
}

// NewAllowList returns an allow-list of the default suffixes and extra entries: ".suffix" for every host below a DNS name,
// "host" for one host on any port, "host:port" for one host on one port.
func NewAllowList(extra []string) (AllowList, error) {
	list := newList()
	list.suffixes = append(list.suffixes, DefaultAllowedHosts...)
	for _, raw := range extra {
		entry := lower(strings.TrimSpace(raw))
		if entry == "" {
			continue
		}
		if err := list.add(entry); err != nil {
			return AllowList{}, fmt.Errorf("allowed vault host %q: %w", raw, err)
		}
	}
	return list, nil
}

// newList returns an empty list.
func newList() AllowList { return AllowList{hosts: map[string]bool{}, authorities: map[string]bool{}} }

// add adds an entry in lower case. An entry that no URL can match is an error, since it was meant to allow something.
func (l *AllowList) add(entry string) error {
	host, port, hasPort := strings.Cut(entry, ":")
	name, isSuffix := strings.CutPrefix(host, ".")
	number, err := strconv.Atoi(port)
	switch {
	case !vaultHost.MatchString(name) || strings.Contains(port, "/"):
		return errors.New("write a host name, host:port, or a suffix that begins with a dot, without scheme, path or asterisk")
	case hasPort && isSuffix:
		return errors.New("a suffix allows every port; remove the port")
	case hasPort && (err != nil || number < 1 || number > 65535):
		return errors.New("the port is not between 1 and 65535")
	case isSuffix:
		l.suffixes = append(l.suffixes, entry)
	case number == 443:
		l.authorities[host] = true
	case hasPort:
		l.authorities[net.JoinHostPort(host, strconv.Itoa(number))] = true
	default:
		l.hosts[host] = true
	}
	return nil
}

// Check returns a Failure with VaultNotAllowed for a host that is not on the list.
func (l AllowList) Check(secret SecretURL) error {
	if l.has(secret) {
		return nil
	}
	message := adviceForHost(secret)
	if message == "" {
		message = fmt.Sprintf("%s is not a Key Vault host that the agent may contact (allowed: *%s); correct the URL, or add the host to the agent's --allowed-vault-hosts",
			secret.Authority(), strings.Join(l.suffixes, ", *"))
	}
	return &Failure{Reason: v1alpha1.ReasonVaultNotAllowed, Message: message}
}

// adviceForHost describes a host of Azure that is not a vault, and what to write instead; it is empty for any other host. Allowing
// such a host would not help.
func adviceForHost(secret SecretURL) string {
	for _, suffix := range DefaultAllowedHosts {
		domain := strings.TrimPrefix(suffix, ".vault")
		if name, ok := strings.CutSuffix(secret.Host, ".managedhsm"+domain); ok {
			return fmt.Sprintf("%s is a managed HSM, which holds keys only and no certificates or secrets; import the certificate into a vault and use its URL, https://<vault>%s/secrets/%s", name+".managedhsm"+domain, suffix, secret.Name)
		}
		name, ok := strings.CutSuffix(secret.Host, ".vaultcore"+domain)
		if !ok {
			continue
		}
		name = strings.TrimSuffix(name, ".privatelink")
		return fmt.Sprintf("%s is a name of the vault's private endpoint, which the vault's certificate does not cover; use the vault's own name, https://%s%s/secrets/%s: it resolves to the private address if the node's DNS has the zone privatelink.vaultcore%s",
			secret.Host, name, suffix, secret.Name, domain)
	}
	return ""
}

// has reports whether a vault's host is on the list.
func (l AllowList) has(secret SecretURL) bool {
	return l.hosts[secret.Host] || l.authorities[secret.Authority()] || slices.ContainsFunc(l.suffixes, func(suffix string) bool {
		return strings.HasSuffix(secret.Host, suffix) && len(secret.Host) > len(suffix)
	})
}
