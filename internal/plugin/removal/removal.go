// Package removal decides on which machines the Key Vault VM extension may be removed: where every certificate that it keeps is on
// every node that Vaultpane selects.
package removal

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/convert"
	"github.com/vaultpane/vaultpane/internal/convert/find"
	"github.com/vaultpane/vaultpane/internal/convert/finding"
)

// Cluster is what the cluster has.
type Cluster struct {
	// Certificates are all ObservedCertificates.
	Certificates []v1alpha1.ObservedCertificate
	// Pools are the nodes of the input's node pools, by pool.
	Pools map[string][]string
	// States are the states of those nodes, by node.
	States map[string]*v1alpha1.NodeCertificateState
}

// Machine is the answer for one machine.
type Machine struct {
	find.Machine
	// Removable reports that all its certificates are in place.
	Removable bool
	// Unclear reports that something of it could not be converted, so that it may have more certificates.
	Unclear bool
	// Certificates are its certificates.
	Certificates []Certificate
}

// Certificate is the answer for one certificate of a machine.
type Certificate struct {
	// URL is the secret's.
	URL string
	// Store is the certificate store.
	Store string
	// InPlace reports that it is on every node.
	InPlace bool
	// Text says where it is, or why it is not in place and what to do.
	Text string
}

// Decide compares what machines had with what the cluster has. A machine without a name has the name "".
func Decide(result convert.Result, cluster Cluster) []Machine {
	machines := result.Machines
	if len(machines) == 0 {
		all := convert.MachineCertificates{Unclear: result.Findings.Count(finding.Hand) > 0}
		for _, certificate := range result.Certificates {
			all.Names = append(all.Names, certificate.Name)
		}
		machines = []convert.MachineCertificates{all}
	}
	var answers []Machine
	for _, machine := range machines {
		answer := Machine{Machine: machine.Machine, Removable: !machine.Unclear, Unclear: machine.Unclear}
		for _, certificate := range result.Certificates {
			if slices.Contains(machine.Names, certificate.Name) {
				one := decide(certificate.ObservedCertificate, machine.Pool, cluster)
				answer.Certificates = append(answer.Certificates, one)
				answer.Removable = answer.Removable && one.InPlace
			}
		}
		answers = append(answers, answer)
	}
	return answers
}

func decide(wanted v1alpha1.ObservedCertificate, pool string, cluster Cluster) Certificate {
	answer := Certificate{URL: wanted.Spec.URL, Store: wanted.Spec.CertificateStoreName}
	have := match(wanted, cluster.Certificates)
	if have == nil {
		answer.Text = "no ObservedCertificate installs it; apply what 'kubectl vaultpane convert' prints"
		return answer
	}
	if text := lacking(wanted.Spec, have.Spec); text != "" {
		answer.Text = fmt.Sprintf("%s %s; correct it, or convert again without what is not needed", have.Name, text)
		return answer
	}
	answer.InPlace, answer.Text = inStatus(have)
	if answer.InPlace && pool != "" {
		answer.InPlace, answer.Text = inPool(have, pool, cluster)
	}
	return answer
}

// inStatus answers from the roll-up.
func inStatus(have *v1alpha1.ObservedCertificate) (inPlace bool, text string) {
	ready := meta.FindStatusCondition(have.Status.Conditions, v1alpha1.ConditionReady)
	nodes := have.Status.Nodes
	switch {
	case ready == nil || nodes == nil || have.Status.ObservedGeneration != have.Generation:
		return false, fmt.Sprintf("%s has no current status yet; wait, or see 'kubectl vaultpane doctor'", have.Name)
	case nodes.Matched == 0:
		return false, fmt.Sprintf("%s selects no node: %s", have.Name, ready.Message)
	case ready.Status != metav1.ConditionTrue || nodes.Installed != nodes.Matched:
		text = fmt.Sprintf("%s is on %s nodes: %s: %s", have.Name, nodes.Summary, ready.Reason, ready.Message)
		if len(have.Status.Failures) > 0 {
			first := have.Status.Failures[0]
			text += fmt.Sprintf(" (%s: %s)", first.Node, first.Message)
		}
		return false, text
	}
	return true, fmt.Sprintf("%s is on %s, thumbprint %s", have.Name, every(int(nodes.Matched)), have.Status.Thumbprint)
}

// inPool answers from the states of a node pool's nodes.
func inPool(have *v1alpha1.ObservedCertificate, pool string, cluster Cluster) (inPlace bool, text string) {
	nodes := cluster.Pools[pool]
	if len(nodes) == 0 {
		return false, fmt.Sprintf("%s is on other nodes, but no node of the pool %s is in this cluster", have.Name, pool)
	}
	var missing []string
	for _, node := range nodes {
		if !has(cluster.States[node], have) {
			missing = append(missing, node)
		}
	}
	if len(missing) > 0 {
		named := missing[:min(len(missing), 3)]
		return false, fmt.Sprintf("%s is not on %d of the %d nodes of the pool %s: %s; see 'kubectl vaultpane status %s --node %s'", have.Name, len(missing), len(nodes), pool, strings.Join(named, ", "), have.Name, named[0])
	}
	return true, fmt.Sprintf("%s is on %s of the pool %s, thumbprint %s", have.Name, every(len(nodes)), pool, have.Status.Thumbprint)
}

func every(nodes int) string {
	if nodes == 1 {
		return "the only node"
	}
	return fmt.Sprintf("all %d nodes", nodes)
}

func has(state *v1alpha1.NodeCertificateState, certificate *v1alpha1.ObservedCertificate) bool {
	if state == nil {
		return false
	}
	return slices.ContainsFunc(state.Certificates, func(entry v1alpha1.CertificateEntry) bool {
		return entry.Name == certificate.Name && entry.State == v1alpha1.StateInstalled && entry.Thumbprint == certificate.Status.Thumbprint && entry.Thumbprint != ""
	})
}
