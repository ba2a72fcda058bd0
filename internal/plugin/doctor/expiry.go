package doctor

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/plugin/installation"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// defaultSoon is the controller's default of --expiring-soon.
const defaultSoon = 7 * 24 * time.Hour

// soon returns how long before its expiry a certificate counts as expiring soon: the controller's setting.
func (s *Snapshot) soon() time.Duration {
	if s.Controller == nil {
		return defaultSoon
	}
	text, known := installation.Setting(installation.Container(&s.Controller.Spec.Template), "expiring-soon")
	if set, err := time.ParseDuration(text); known && err == nil {
		return set
	}
	return defaultSoon
}

// ending is a certificate that expires soon on some nodes.
type ending struct {
	name  string
	at    time.Time // the soonest
	nodes []string
}

// findExpiring looks for certificates in stores that have expired or expire soon.
func findExpiring(s *Snapshot) []Finding {
	byName := map[string]*ending{}
	for _, report := range s.Reports {
		for _, entry := range report.Entries {
			if entry.NotAfter == nil || entry.NotAfter.Sub(s.Server) > s.soon() {
				continue
			}
			one := byName[entry.Name]
			if one == nil {
				one = &ending{name: entry.Name, at: entry.NotAfter.Time}
				byName[entry.Name] = one
			}
			one.nodes = append(one.nodes, report.Name)
			if entry.NotAfter.Time.Before(one.at) {
				one.at = entry.NotAfter.Time
			}
		}
	}
	var all []*ending
	for _, one := range byName {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b *ending) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.name, b.name)) })
	var findings []Finding
	for _, one := range all {
		findings = append(findings, s.expires(one))
	}
	return findings
}

func (s *Snapshot) expires(one *ending) Finding {
	where := fmt.Sprintf("on %s: %s", terminal.Count(len(one.nodes), "node"), list(one.nodes))
	remedy := "Renew it in the vault, or find out why a newer version has not arrived."
	command := "kubectl describe obscert " + one.name
	if strings.HasPrefix(s.source(one.name), "configmap/") {
		remedy = "Replace it in the ConfigMap, or find out why its new content has not arrived."
	}
	if secret, err := keyvault.ParseURL(s.source(one.name)); err == nil {
		vault, _, _ := strings.Cut(secret.Host, ".")
		command = fmt.Sprintf("az keyvault certificate list-versions --vault-name %s --name %s", vault, secret.Name)
		if secret.Version != "" {
			remedy = "Its URL is pinned to a version: remove the version from the URL, and the newest is installed."
			command = fmt.Sprintf("kubectl patch obscert %s --type merge --patch '{\"spec\":{\"url\":\"%s\"}}'", one.name, keyvault.SecretURL{Host: secret.Host, Port: secret.Port, Name: secret.Name})
		}
	}
	if !one.at.After(s.Server) {
		return finding(Problem, "%s has expired %s %s", one.name, terminal.Until(one.at, s.Server), where).do(remedy, command)
	}
	return finding(Warning, "%s expires %s %s", one.name, terminal.Until(one.at, s.Server), where).do(remedy, command)
}

// source returns what a certificate comes from, empty if it does not exist any more.
func (s *Snapshot) source(name string) string {
	for i := range s.Certificates {
		if s.Certificates[i].Name == name {
			return s.Certificates[i].Spec.Source()
		}
	}
	return ""
}
