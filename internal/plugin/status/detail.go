package status

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// Details are the named certificates, each on its nodes.
type Details struct {
	// Certificates are in the order in which they were named.
	Certificates []Detail `json:"certificates"`
}

// Detail is one certificate on its nodes.
type Detail struct {
	Certificate
	// Problems are what its conditions say, with what to do.
	Problems []Problem `json:"problems"`
	// Entries are the nodes, those with problems first.
	Entries []Entry `json:"entries"`
	// Unreported is the number of selected nodes that have not reported the certificate and are not among the entries.
	Unreported int `json:"unreported,omitempty"`
}

// NewDetails computes the details of certificates from what the nodes reported.
func NewDetails(certificates []v1alpha1.ObservedCertificate, nodes map[string]Reported, now time.Time) Details {
	var details Details
	for i := range certificates {
		details.Certificates = append(details.Certificates, detailOf(&certificates[i], nodes, now))
	}
	return details
}

// Failing reports whether a certificate needs action, or a node has a failure of one.
func (d Details) Failing() bool {
	return slices.ContainsFunc(d.Certificates, func(c Detail) bool { return c.needsAction() || slices.ContainsFunc(c.Entries, Entry.fails) })
}

func detailOf(c *v1alpha1.ObservedCertificate, nodes map[string]Reported, now time.Time) Detail {
	detail := Detail{Certificate: certificateOf(c), Problems: problemsOf([]v1alpha1.ObservedCertificate{*c}), Entries: []Entry{}}
	named := map[string]v1alpha1.NodeFailure{}
	for _, failure := range c.Status.Failures {
		named[failure.Node] = printable(failure)
	}
	for node, reported := range nodes {
		entry, found := reported.Certificates[c.Name]
		if !found {
			continue
		}
		e := entryOf(entry, c, now)
		e.Node, e.AgentVersion = node, reported.AgentVersion
		if failure, known := named[node]; known {
			e.learn(failure, c)
			delete(named, node)
		}
		detail.Entries = append(detail.Entries, e)
	}
	for node, failure := range named { // it has not reported the certificate
		e := Entry{Node: node, State: string(v1alpha1.StatePending)}
		e.learn(failure, c)
		detail.Entries = append(detail.Entries, e)
	}
	detail.Unreported = max(0, int(detail.Nodes.Matched)-len(detail.Entries))
	slices.SortFunc(detail.Entries, byNeed)
	return detail
}

// learn takes what only the controller knows: which agents do not report, by their Leases, and why an expired certificate was not
// replaced. A node that is only new is no failure, and the condition Ready tells the two apart.
func (e *Entry) learn(failure v1alpha1.NodeFailure, c *v1alpha1.ObservedCertificate) {
	switch {
	case failure.Reason == e.Reason && e.Message == "":
		e.Message = failure.Message
	case failure.Reason == v1alpha1.ReasonAgentNotReporting, e.Reason == "":
		e.State, e.Reason, e.Message, e.Since = string(v1alpha1.StatePending), failure.Reason, failure.Message, nil
	}
	e.level = e.levelOf()
	if e.Reason == v1alpha1.ReasonAgentNotReporting && conditionOf(c, v1alpha1.ConditionReady).Status != metav1.ConditionFalse {
		e.level = terminal.Busy
	}
}
