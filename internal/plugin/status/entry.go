package status

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// installedState names the state of an installed certificate, which is empty in the API.
const installedState = "Installed"

// Entry is one certificate on one node.
type Entry struct {
	// Certificate is the name of the ObservedCertificate, where the view is of a node; Node that of the node, where it is of a
	// certificate.
	Certificate string `json:"certificate,omitempty"`
	Node        string `json:"node,omitempty"`
	// State is Installed, Pending, Failed or Suspended. Reason and Message say why; with Installed, why polls fail.
	State   string          `json:"state"`
	Reason  v1alpha1.Reason `json:"reason,omitempty"`
	Message string          `json:"message,omitempty"`
	// Since is when state and reason began, where something is not well.
	Since *metav1.Time `json:"since,omitempty"`
	// Version, Thumbprint and NotAfter are of what is in the store.
	Version    string       `json:"version,omitempty"`
	Thumbprint string       `json:"thumbprint,omitempty"`
	NotAfter   *metav1.Time `json:"notAfter,omitempty"`
	// Uses are the entries of spec.usedBy on the node.
	Uses []v1alpha1.UseState `json:"uses,omitempty"`
	// AgentVersion is that of the agent that reported it.
	AgentVersion string `json:"agentVersion,omitempty"`
	level        terminal.Level
}

// entryOf reads an agent's entry. c is the certificate, nil where it was not read: then nothing is said about newer versions and
// changes of the spec.
func entryOf(reported v1alpha1.CertificateEntry, c *v1alpha1.ObservedCertificate, now time.Time) Entry {
	e := Entry{
		State: cmp.Or(string(reported.State), installedState), Reason: reported.Reason, Message: reported.Message, Since: reported.Since,
		Version: reported.Version, Thumbprint: reported.Thumbprint, NotAfter: reported.NotAfter, Uses: reported.Uses,
	}
	expired := e.NotAfter != nil && !now.Before(e.NotAfter.Time)
	switch {
	case c != nil && reported.Generation != c.Generation:
		e.State, e.Reason, e.Since = string(v1alpha1.StatePending), v1alpha1.ReasonPending, nil
		e.Message = fmt.Sprintf("the node's agent has not processed generation %d of the spec yet; it reports generation %d", c.Generation, reported.Generation)
	case e.State == string(v1alpha1.StateFailed):
	case expired:
		e.State, e.Reason = string(v1alpha1.StateFailed), v1alpha1.ReasonExpired
	case e.State != installedState:
		e.Reason = cmp.Or(e.Reason, v1alpha1.ReasonPending)
	case e.Thumbprint == "":
		e.State, e.Reason = string(v1alpha1.StatePending), v1alpha1.ReasonPending
	case e.Reason == "" && superseded(e, c):
		e.State, e.Reason = string(v1alpha1.StatePending), v1alpha1.ReasonSuperseded
	}
	e.level = e.levelOf()
	return e
}

// superseded reports whether other nodes have a newer version, as the controller knows.
func superseded(e Entry, c *v1alpha1.ObservedCertificate) bool {
	return c != nil && c.Status.Thumbprint != "" && e.Thumbprint != c.Status.Thumbprint
}

// levelOf returns how well the certificate is on the node.
func (e Entry) levelOf() terminal.Level {
	fails := e.Reason != "" && e.Reason.Class() != v1alpha1.ClassNone
	switch {
	case e.State == string(v1alpha1.StateFailed), e.State == string(v1alpha1.StatePending) && fails:
		return terminal.Bad
	case e.State == string(v1alpha1.StatePending):
		return terminal.Busy
	case e.State == string(v1alpha1.StateSuspended):
		return terminal.Unknown
	case e.Reason != "":
		return terminal.Warning
	}
	return terminal.Good
}

// fails reports whether something is wrong, as in the summary of a NodeCertificateState.
func (e Entry) fails() bool {
	return e.level == terminal.Bad || e.Reason != "" && e.Reason.Class() != v1alpha1.ClassNone
}

// byNeed orders entries: what is wrong first, then by reason and name.
func byNeed(a, b Entry) int {
	return cmp.Or(
		cmp.Compare(b.level, a.level),
		cmp.Compare(severity(a.Reason), severity(b.Reason)),
		strings.Compare(string(a.Reason), string(b.Reason)),
		strings.Compare(a.Certificate, b.Certificate),
		strings.Compare(a.Node, b.Node),
	)
}
