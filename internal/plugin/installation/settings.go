package installation

import (
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// Variable returns the value of an environment variable of a container, and whether it is written in the container itself. A value
// from a Secret, a ConfigMap or the pod is not.
func Variable(container corev1.Container, name string) (value string, known bool) {
	for _, variable := range container.Env {
		if variable.Name == name {
			return variable.Value, variable.ValueFrom == nil
		}
	}
	return "", false
}

// Setting returns a setting of Vaultpane's programs: a flag of the command line, else its environment variable. It is empty if
// neither is set. known is false if its value may come from elsewhere.
func Setting(container corev1.Container, flag string) (value string, known bool) {
	words := append(append([]string{}, container.Command...), container.Args...)
	for i, word := range words {
		if rest, is := strings.CutPrefix(word, "--"+flag+"="); is {
			return rest, true
		}
		if word == "--"+flag && i+1 < len(words) {
			return words[i+1], true
		}
	}
	name := "VAULTPANE_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
	for _, variable := range container.Env {
		if variable.Name == name {
			return variable.Value, variable.ValueFrom == nil
		}
	}
	return "", len(container.EnvFrom) == 0
}

// AllowVault returns the command that adds a host to those that the agents may contact, and keeps the others: the setting is a list, and
// is replaced as a whole.
func (i Installation) AllowVault(host string) string {
	var hosts []string
	for n := range i.Agents {
		value, _ := Setting(agentContainer(&i.Agents[n]), "allowed-vault-hosts")
		for one := range strings.SplitSeq(value, ",") {
			if one = strings.TrimSpace(one); one != "" && !slices.Contains(hosts, one) {
				hosts = append(hosts, one)
			}
		}
	}
	all := strings.Join(append(hosts, host), ",")
	return i.SetVariable("'agent.allowedVaultHosts={"+all+"}'", "VAULTPANE_ALLOWED_VAULT_HOSTS", all)
}

// AllowedVaults returns the hosts that every agent may contact, and whether that is known. The error is one of the setting itself.
func (i Installation) AllowedVaults() (list keyvault.AllowList, known bool, err error) {
	var extra []string
	for n, set := range i.Agents {
		value, isKnown := Setting(agentContainer(&set), "allowed-vault-hosts")
		if !isKnown {
			return list, false, nil
		}
		hosts := strings.Split(value, ",")
		if n == 0 {
			extra = hosts
		} else {
			extra = common(extra, hosts)
		}
	}
	list, err = keyvault.NewAllowList(extra)
	return list, len(i.Agents) > 0, err
}

// common returns what two lists have in common.
func common(a, b []string) []string {
	in := map[string]bool{}
	for _, one := range b {
		in[strings.TrimSpace(one)] = true
	}
	var both []string
	for _, one := range a {
		if in[strings.TrimSpace(one)] {
			both = append(both, one)
		}
	}
	return both
}

func agentContainer(set *appsv1.DaemonSet) corev1.Container { return Container(&set.Spec.Template) }
