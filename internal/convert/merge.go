package convert

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/convert/tidy"
)

// merge makes one certificate of entries for the same secret in the same store: the shortest interval, the accounts of all, the key
// exportable only if all say so, linking and waiting if one says so. Another identity is no common ground.
func merge(entries []tidy.Entry, findings *finding.List) v1alpha1.ObservedCertificate {
	slices.SortStableFunc(entries, func(a, b tidy.Entry) int {
		for _, order := range []int{strings.Compare(a.Machine.Name, b.Machine.Name), strings.Compare(a.File, b.File), a.Line - b.Line} {
			if order != 0 {
				return order
			}
		}
		return strings.Compare(a.Path, b.Path)
	})
	merged := *entries[0].Certificate.DeepCopy()
	spec := &merged.Spec
	for _, entry := range entries[1:] {
		other := entry.Certificate.Spec
		spec.PollingIntervalInS = min(spec.PollingIntervalInS, other.PollingIntervalInS)
		spec.KeyExportable = spec.KeyExportable && other.KeyExportable
		spec.LinkOnRenewal = spec.LinkOnRenewal || other.LinkOnRenewal
		spec.RequireInitialSync = spec.RequireInitialSync || other.RequireInitialSync
		spec.Accounts = withAll(spec.Accounts, other.Accounts)
		if client(*spec) != client(other) {
			spec.Authentication = nil
		}
	}
	if all := len(spec.Accounts); !fits(spec.Accounts) {
		for !fits(spec.Accounts) {
			spec.Accounts = spec.Accounts[:len(spec.Accounts)-1]
		}
		findings.Hand(finding.Place{}, "%s: the machines have %d accounts together, more than one object may have; %d are taken: use a group instead", spec.URL, all, len(spec.Accounts))
	}
	say(entries, merged, findings)
	return merged
}

// fits reports whether the CRD allows as many accounts.
func fits(accounts []string) bool {
	return len(accounts) <= 64 && len(strings.Join(accounts, "")) <= 4096
}

func withAll(names, more []string) []string {
	names = slices.Clone(names)
	for _, name := range more {
		if !slices.ContainsFunc(names, func(known string) bool { return strings.EqualFold(known, name) }) {
			names = append(names, name)
		}
	}
	return names
}

func client(spec v1alpha1.ObservedCertificateSpec) string {
	if spec.Authentication == nil {
		return ""
	}
	return strings.ToLower(spec.Authentication.MSIClientID)
}

// say names the settings in which the entries differ, with who has which.
func say(entries []tidy.Entry, merged v1alpha1.ObservedCertificate, findings *finding.List) {
	spec := merged.Spec
	for _, field := range []struct {
		name  string
		level finding.Level
		of    func(v1alpha1.ObservedCertificateSpec) string
		then  string
	}{
		{"pollingIntervalInS", finding.Note, func(s v1alpha1.ObservedCertificateSpec) string { return fmt.Sprint(s.PollingIntervalInS) }, fmt.Sprintf("the shortest is taken, %d", spec.PollingIntervalInS)},
		{"linkOnRenewal", finding.Note, func(s v1alpha1.ObservedCertificateSpec) string { return fmt.Sprint(s.LinkOnRenewal) }, "it is true for all"},
		{"requireInitialSync", finding.Note, func(s v1alpha1.ObservedCertificateSpec) string { return fmt.Sprint(s.RequireInitialSync) }, "it is true for all"},
		{"keyExportable", finding.Hand, func(s v1alpha1.ObservedCertificateSpec) string { return fmt.Sprint(s.KeyExportable) }, "it is false for all; agree, or set it to true"},
		{"accounts", finding.Hand, accountsText, "the accounts of all get access; agree, or remove some"},
		{"msiClientId", finding.Hand, func(s v1alpha1.ObservedCertificateSpec) string { return orNone(client(s)) }, "none is taken, so the agents' own identity is used; agree, or set one"},
	} {
		if text := differences(entries, field.of); text != "" {
			findings.Add(finding.Finding{Level: field.level, Text: fmt.Sprintf("%s: the machines differ in %s: %s; %s", spec.URL, field.name, text, field.then)})
		}
	}
}

func accountsText(s v1alpha1.ObservedCertificateSpec) string {
	names := slices.Clone(s.Accounts)
	for i := range names {
		names[i] = strings.ToLower(names[i])
	}
	slices.Sort(names)
	return orNone(strings.Join(names, ", "))
}

func orNone(text string) string {
	if text == "" {
		return "none"
	}
	return text
}

// mostNamed is how many machines a message names.
const mostNamed = 5

// differences says who has which value, empty if all have the same.
func differences(entries []tidy.Entry, of func(v1alpha1.ObservedCertificateSpec) string) string {
	who := map[string][]string{}
	var values []string
	for _, entry := range entries {
		value := of(entry.Certificate.Spec)
		if who[value] == nil {
			values = append(values, value)
		}
		name := entry.Machine.Name
		if name == "" {
			name = fmt.Sprintf("%s:%d", entry.File, entry.Line)
		}
		if !slices.Contains(who[value], name) {
			who[value] = append(who[value], name)
		}
	}
	if len(values) < 2 {
		return ""
	}
	slices.Sort(values)
	var parts []string
	for _, value := range values[:min(len(values), mostNamed)] {
		parts = append(parts, value+" on "+names(who[value]))
	}
	if rest := len(values) - len(parts); rest > 0 {
		parts = append(parts, fmt.Sprintf("and %d other values", rest))
	}
	return strings.Join(parts, "; ")
}

// names lists some names and counts the others.
func names(all []string) string {
	if rest := len(all) - mostNamed; rest > 1 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:mostNamed], ", "), rest)
	}
	return strings.Join(all, ", ")
}
