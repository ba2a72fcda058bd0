package convert

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
	"github.com/vaultpane/vaultpane/internal/convert/tidy"
)

// PoolLabel is the label of AKS nodes with the name of their node pool
// (https://learn.microsoft.com/azure/aks/use-labels#reserved-system-labels).
const PoolLabel = "kubernetes.azure.com/agentpool"

// reach sets node selectors. The extension was on certain machines; an ObservedCertificate without a selector brings the key to
// every Windows node, which somebody has to agree to if the machines had different certificates.
func (r *Result) reach(entries []tidy.Entry, options Options) {
	derived := false
	for i := range r.Certificates {
		certificate := &r.Certificates[i]
		if options.NodeSelector != nil {
			certificate.Spec.NodeSelector = options.NodeSelector.DeepCopy()
			continue
		}
		if certificate.Spec.NodeSelector = poolSelector(*certificate); certificate.Spec.NodeSelector != nil {
			derived = true
		}
	}
	if derived {
		r.Findings.Note(finding.Place{}, "nodeSelector is derived from the node pools that had the extension (%s); --node-selector overrides it", PoolLabel)
	}
	nameless := slices.ContainsFunc(entries, func(entry tidy.Entry) bool { return entry.Machine.Key == "" })
	groups := r.groups()
	if nameless || len(groups) < 2 || len(r.Certificates) == 0 {
		return
	}
	text := "Not all machines had the same certificates, and without a nodeSelector every Windows node gets each certificate with its key. Agree, set nodeSelector in the objects, or convert the machines one by one with --node-selector:"
	if derived {
		text = "Not all machines had the same certificates. Check that the derived nodeSelectors fit this cluster's node pools; a certificate without one goes to every Windows node with its key:"
	}
	level := finding.Hand
	if options.NodeSelector != nil {
		level, text = finding.Note, "Not all machines had the same certificates; each node that --node-selector selects gets all of them:"
	}
	for _, group := range groups[:min(len(groups), mostGroups)] {
		text += "\n  " + group
	}
	if rest := len(groups) - mostGroups; rest > 0 {
		text += fmt.Sprintf("\n  and %d other groups of machines", rest)
	}
	r.Findings.Add(finding.Finding{Level: level, Text: text})
}

// mostGroups is how many groups of machines are listed.
const mostGroups = 20

// groups lists the machines that had the same certificates, a line each.
func (r *Result) groups() []string {
	who := map[string][]string{}
	var sets []string
	for _, machine := range r.Machines {
		if machine.Unclear && len(machine.Names) == 0 {
			continue
		}
		set := orNone(names(machine.Names))
		key := strings.Join(machine.Names, ",") + "\x00" + set
		if who[key] == nil {
			sets = append(sets, key)
		}
		name := machine.Name
		if machine.Pool != "" && machine.Pool != machine.Name {
			name += " (node pool " + machine.Pool + ")"
		}
		who[key] = append(who[key], name)
	}
	var lines []string
	for _, key := range sets {
		_, set, _ := strings.Cut(key, "\x00")
		lines = append(lines, fmt.Sprintf("%s had %s", names(who[key]), set))
	}
	return lines
}

// poolSelector selects the node pools of the machines that had a certificate; nil if one of them is not known to be a pool.
func poolSelector(certificate Certificate) *v1alpha1.NodeSelector {
	var pools []v1alpha1.LabelValue
	for _, machine := range certificate.Machines {
		if machine.Pool == "" || len(validation.IsValidLabelValue(machine.Pool)) > 0 {
			return nil
		}
		if pool := v1alpha1.LabelValue(machine.Pool); !slices.Contains(pools, pool) {
			pools = append(pools, pool)
		}
	}
	slices.Sort(pools)
	switch {
	case len(pools) == 0 || len(pools) > 64:
		return nil
	case len(pools) == 1:
		return &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{PoolLabel: pools[0]}}
	}
	return &v1alpha1.NodeSelector{MatchExpressions: []v1alpha1.NodeSelectorRequirement{{Key: PoolLabel, Operator: metav1.LabelSelectorOpIn, Values: pools}}}
}
