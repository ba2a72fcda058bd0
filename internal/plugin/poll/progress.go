// Package poll decides what became of polls that kubectl vaultpane requested: which nodes have answered, and with what.
package poll

import (
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/status"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Format is how the time of a request is written into the annotation: RFC 3339 with milliseconds, so that two requests within a
// second are two.
const Format = "2006-01-02T15:04:05.000Z07:00"

// Progress is how far the request for one certificate is.
type Progress struct {
	// Certificate is its name.
	Certificate string
	// Gone is set if the certificate was deleted since, Suspended if it was suspended since: then no node answers any more.
	Gone, Suspended bool
	// Nodes is how many nodes should answer: those that reported the certificate, and those that the controller counts as selected
	// beyond them.
	Nodes int
	// Answered is how many of them acted on the request.
	Answered int
	// Failures are the nodes that acted on it and do not have the certificate as the spec asks, or whose poll failed.
	Failures []v1alpha1.NodeFailure
	// Silent are the nodes that have not acted on the request, with what is known about each.
	Silent []v1alpha1.NodeFailure
	// Unreported is how many more selected nodes have not reported the certificate.
	Unreported int
	// Versions counts the versions on the nodes that answered.
	Versions map[string]int
}

// ProgressOf compares what nodes reported with a request. c is the certificate as it is now, nil if it was deleted.
//
// An agent writes the annotation's value into its entry when it has acted on the request, and a transient failure only once it has
// lasted. The nodes that should answer are those with an entry, because agents drop the entries of certificates that do not select
// them. The controller's count adds nodes whose agent has never reported the certificate; it is left out while it describes an
// older spec.
func ProgressOf(name, requested string, c *v1alpha1.ObservedCertificate, nodes map[string]status.Reported) Progress {
	p := Progress{Certificate: name, Versions: map[string]int{}}
	if c == nil {
		p.Gone = true
		return p
	}
	p.Suspended = c.Spec.Suspend
	current := c.Status.ObservedGeneration == c.Generation
	unheard := map[string]v1alpha1.NodeFailure{}
	for _, failure := range c.Status.Failures {
		if current {
			unheard[failure.Node] = failure
		}
	}
	for node, reported := range nodes {
		entry, found := reported.Certificates[name]
		if !found {
			continue
		}
		p.add(node, entry, unheard[node], answers(entry, requested, c))
		delete(unheard, node)
	}
	for node, failure := range unheard {
		p.Nodes++
		p.Silent = append(p.Silent, v1alpha1.NodeFailure{Node: node, Reason: failure.Reason, Message: truncate.Line(failure.Message, maxLine)})
	}
	known := p.Nodes
	if c.Status.Nodes != nil && current {
		p.Nodes = max(p.Nodes, int(c.Status.Nodes.Matched))
	}
	p.Unreported = p.Nodes - known
	slices.SortFunc(p.Failures, byNode)
	slices.SortFunc(p.Silent, byNode)
	return p
}

// maxLine bounds a message, in characters.
const maxLine = 2048

func byNode(a, b v1alpha1.NodeFailure) int { return strings.Compare(a.Node, b.Node) }

// Name takes the names of all selected nodes and names those that have not reported the certificate. It changes nothing where they are
// not as many as the controller counts: the agents run on other nodes than the names were read for.
func (p *Progress) Name(selected []string, nodes map[string]status.Reported) {
	var missing []v1alpha1.NodeFailure
	for _, node := range selected {
		_, reported := nodes[node].Certificates[p.Certificate]
		named := slices.ContainsFunc(p.Silent, func(silent v1alpha1.NodeFailure) bool { return silent.Node == node })
		if !reported && !named {
			missing = append(missing, v1alpha1.NodeFailure{Node: node})
		}
	}
	if len(missing) == p.Unreported {
		p.Silent, p.Unreported = append(p.Silent, missing...), 0
		slices.SortFunc(p.Silent, byNode)
	}
}

// add counts a node that reported the certificate.
func (p *Progress) add(node string, entry v1alpha1.CertificateEntry, known v1alpha1.NodeFailure, answered bool) {
	p.Nodes++
	switch {
	case !answered:
		silent := v1alpha1.NodeFailure{Node: node}
		if known.Reason == v1alpha1.ReasonAgentNotReporting {
			silent = known
		}
		p.Silent = append(p.Silent, silent)
		return
	case fails(entry):
		p.Failures = append(p.Failures, v1alpha1.NodeFailure{Node: node, Reason: entry.Reason, Message: entry.Message})
	}
	p.Answered++
	if entry.Version != "" {
		p.Versions[entry.Version]++
	}
}

// answers reports whether an entry is the result of a request or of a later one, also of another person, whose clock may differ: then
// the certificate has that request's value.
func answers(entry v1alpha1.CertificateEntry, requested string, c *v1alpha1.ObservedCertificate) bool {
	current := c.Annotations[v1alpha1.RequestedAtAnnotation]
	switch {
	case entry.RequestedAt == "" || entry.Generation != c.Generation:
		return false
	case entry.RequestedAt == requested, entry.RequestedAt == current:
		return true
	}
	acted, err := time.Parse(time.RFC3339, entry.RequestedAt)
	asked, askedErr := time.Parse(time.RFC3339, requested)
	return err == nil && askedErr == nil && acted.After(asked)
}

// fails reports whether a poll ended with something wrong. A declined link and the like are no failures.
func fails(entry v1alpha1.CertificateEntry) bool {
	return entry.State == v1alpha1.StateFailed || entry.Reason != "" && entry.Reason.Class() != v1alpha1.ClassNone
}

// Done reports whether every node has answered, or no more can.
func (p Progress) Done() bool {
	return p.Gone || p.Suspended || p.Nodes > 0 && p.Answered == p.Nodes
}

// Succeeded reports whether every node has answered, and none with a failure.
func (p Progress) Succeeded() bool {
	return !p.Gone && !p.Suspended && p.Done() && len(p.Failures) == 0
}
