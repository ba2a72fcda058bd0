package convert

import (
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/convert/tidy"
	"github.com/vaultpane/vaultpane/internal/settings"
)

// gather makes one certificate of all entries of a secret in a store, names them, and says which machines had which.
func gather(entries []tidy.Entry, found find.Result, options Options, findings *finding.List) Result {
	unify(entries, found)
	groups := map[string][]tidy.Entry{}
	for _, entry := range entries {
		target := settings.Target(entry.Certificate)
		groups[target] = append(groups[target], entry)
	}
	targets := make([]string, 0, len(groups))
	for target := range groups {
		targets = append(targets, target)
	}
	slices.Sort(targets)
	certificates := make([]v1alpha1.ObservedCertificate, len(targets))
	for i, target := range targets {
		certificates[i] = merge(groups[target], findings)
	}
	settings.Name(certificates)
	result := Result{Findings: findings}
	for i, target := range targets {
		certificates[i].Name = options.Prefix + certificates[i].Name
		result.Certificates = append(result.Certificates, Certificate{ObservedCertificate: certificates[i], Machines: machinesOf(groups[target])})
	}
	slices.SortFunc(result.Certificates, func(a, b Certificate) int { return strings.Compare(a.Name, b.Name) })
	result.Machines = byMachine(result.Certificates, found)
	_, result.Unclear = found.Unclear[""]
	result.reach(entries, options)
	return result
}

// machinesOf returns the machines of entries once, in order of their names.
func machinesOf(entries []tidy.Entry) []find.Machine {
	known := map[string]bool{}
	var machines []find.Machine
	for _, entry := range entries {
		if entry.Machine.Key != "" && !known[entry.Machine.Key] {
			known[entry.Machine.Key] = true
			machines = append(machines, entry.Machine)
		}
	}
	slices.SortFunc(machines, inOrder)
	return machines
}

func inOrder(a, b find.Machine) int {
	if order := strings.Compare(a.Name, b.Name); order != 0 {
		return order
	}
	return strings.Compare(a.Key, b.Key)
}

// byMachine returns all machines with their certificates, also those that have none.
func byMachine(certificates []Certificate, found find.Result) []MachineCertificates {
	all := map[string]*MachineCertificates{}
	for _, machine := range found.Machines {
		all[machine.Key] = &MachineCertificates{Machine: machine}
	}
	for _, certificate := range certificates {
		for _, machine := range certificate.Machines {
			if all[machine.Key] == nil {
				all[machine.Key] = &MachineCertificates{Machine: machine}
			}
			all[machine.Key].Names = append(all[machine.Key].Names, certificate.Name)
		}
	}
	var machines []MachineCertificates
	for _, machine := range all {
		_, machine.Unclear = found.Unclear[machine.Key]
		machines = append(machines, *machine)
	}
	for key, machine := range found.Unclear {
		if key != "" && all[key] == nil {
			machines = append(machines, MachineCertificates{Machine: machine, Unclear: true})
		}
	}
	slices.SortFunc(machines, func(a, b MachineCertificates) int { return inOrder(a.Machine, b.Machine) })
	return machines
}

// unify makes one machine of those that have one name, as an id of a resource and a name in a template are: unless several ids have
// it, which are then told apart by their resource groups.
func unify(entries []tidy.Entry, found find.Result) {
	ids := map[string][]string{}
	each := func(visit func(*find.Machine)) {
		for i := range entries {
			visit(&entries[i].Machine)
		}
		for key, machine := range found.Machines {
			visit(&machine)
			found.Machines[key] = machine
		}
	}
	each(func(m *find.Machine) {
		if name := strings.ToLower(m.Name); strings.HasPrefix(m.Key, "/") && !slices.Contains(ids[name], m.Key) {
			ids[name] = append(ids[name], m.Key)
		}
	})
	each(func(m *find.Machine) {
		m.Pool = found.Pools[m.Key]
		switch with := ids[strings.ToLower(m.Name)]; {
		case m.Key == "":
		case len(with) == 1:
			if m.Pool == "" {
				m.Pool = found.Pools[with[0]]
			}
			if m.Key == with[0] {
				return
			}
			_, unclear := found.Unclear[m.Key]
			delete(found.Unclear, m.Key)
			if m.Key = with[0]; unclear {
				found.Unclear[m.Key] = *m
			}
		case len(with) > 1 && strings.HasPrefix(m.Key, "/"):
			m.Name += " in " + group(m.Key)
		}
	})
}

// group is the resource group of an id.
func group(id string) string {
	_, rest, _ := strings.Cut(id, "/resourcegroups/")
	name, _, _ := strings.Cut(rest, "/")
	return name
}
