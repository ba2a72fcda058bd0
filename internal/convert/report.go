package convert

import (
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/internal/convert/finding"
)

// Report writes what became of the input, for people: what needs a hand and what is worth knowing apart, then what else has to
// change.
func (r Result) Report(w io.Writer) error {
	var lines []string
	lines = append(lines, r.summary())
	for _, part := range []struct {
		title string
		level finding.Level
	}{{"Cannot be read", finding.Unreadable}, {"Needs a hand", finding.Hand}, {"Notes", finding.Note}} {
		found := r.Findings.Sorted(part.level)
		if len(found) == 0 {
			continue
		}
		lines = append(lines, "", fmt.Sprintf("%s (%d):", part.title, len(found)))
		for _, f := range found {
			lines = append(lines, "- "+strings.ReplaceAll(f.String(), "\n", "\n  "))
		}
	}
	lines = append(lines, r.next()...)
	_, err := fmt.Fprintln(w, strings.Join(lines, "\n"))
	return err
}

func (r Result) summary() string {
	text := fmt.Sprintf("%d %s", len(r.Certificates), plural(len(r.Certificates), "certificate", "certificates"))
	var all []string
	for _, machine := range r.Machines {
		if len(machine.Names) > 0 {
			all = append(all, machine.Name)
		}
	}
	if len(all) > 0 {
		text += fmt.Sprintf(" of %d %s: %s", len(all), plural(len(all), "machine", "machines"), names(all))
	}
	return text
}

func plural(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// next says what else must change: the vaults that agents may read from, and the identities that need a role.
func (r Result) next() []string {
	hosts, vaults := r.hosts()
	if len(hosts) == 0 {
		return nil
	}
	lines := []string{"", "What else this needs:"}
	for _, client := range r.clients() {
		who := "the identity " + client
		if client == "" {
			who = "the agents' own identity"
		}
		lines = append(lines, fmt.Sprintf("- The role Key Vault Secrets User for %s at %s:", who, strings.Join(hosts, ", ")))
		for _, vault := range vaults {
			lines = append(lines, "  "+roleCommand(client, vault))
		}
	}
	if foreign := foreignHosts(hosts); len(foreign) > 0 {
		lines = append(lines, "- Hosts that are no domain of Azure's vaults, for agent.allowedVaultHosts of the chart: "+strings.Join(foreign, ", "))
	}
	return lines
}

func roleCommand(client, vault string) string {
	if client == "" {
		client = "CLIENT_ID"
	}
	return fmt.Sprintf(`az role assignment create --role "Key Vault Secrets User" --assignee %s --scope "$(az keyvault show --name %s --query id -o tsv)"`, client, vault)
}

// domains are those of Azure's vaults.
var domains = []string{".vault.azure.net", ".vault.azure.cn", ".vault.usgovcloudapi.net"}

func foreignHosts(hosts []string) []string {
	return slices.DeleteFunc(slices.Clone(hosts), func(host string) bool {
		return slices.ContainsFunc(domains, func(domain string) bool { return strings.HasSuffix(host, domain) })
	})
}

// hosts returns the vaults' hosts and names, once each, in order.
func (r Result) hosts() (hosts, vaults []string) {
	for _, certificate := range r.Certificates {
		secret, err := url.Parse(certificate.Spec.URL)
		if err != nil {
			continue // the CRD's rules do not let it through
		}
		host := strings.TrimSuffix(strings.ToLower(secret.Host), ":443")
		if slices.Contains(hosts, host) {
			continue
		}
		hosts = append(hosts, host)
		if name, _, _ := strings.Cut(host, "."); len(foreignHosts([]string{host})) == 0 {
			vaults = append(vaults, name)
		}
	}
	slices.Sort(hosts)
	slices.Sort(vaults)
	return hosts, vaults
}

func (r Result) clients() []string {
	var all []string
	for _, certificate := range r.Certificates {
		if client := clientID(certificate.Spec); !slices.Contains(all, client) {
			all = append(all, client)
		}
	}
	slices.Sort(all)
	return all
}
