// Package status computes what kubectl vaultpane status shows: all certificates, one certificate on its nodes, and the certificates of
// one node. The structures are what -o json prints; the texts are made of them. Nothing here reads a cluster or a clock.
package status

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// State is what an ObservedCertificate's status amounts to.
type State string

// States of a certificate on all its nodes.
const (
	// StateInstalled means that every selected node has the certificate as the spec asks for it (Ready is True).
	StateInstalled State = "Installed"
	// StateRollingOut means that nodes are still installing it, and none has failed (Ready is Unknown).
	StateRollingOut State = "RollingOut"
	// StateFailed means that a node failed (Ready is False).
	StateFailed State = "Failed"
	// StateSuspended means that spec.suspend is set and every selected node has a certificate.
	StateSuspended State = "Suspended"
	// StateNoNodes means that no node is selected.
	StateNoNodes State = "NoNodes"
	// StateUnprocessed means that the controller has not processed the spec yet.
	StateUnprocessed State = "Unprocessed"
)

// Certificate is a line of the overview.
type Certificate struct {
	// Name is that of the ObservedCertificate.
	Name string `json:"name"`
	// State sums up the status, Reason and Message are those of the condition Ready.
	State   State           `json:"state"`
	Reason  v1alpha1.Reason `json:"reason,omitempty"`
	Message string          `json:"message,omitempty"`
	// Since is when the state began, as far as the conditions tell: when nodes began to install for RollingOut.
	Since *metav1.Time `json:"since,omitempty"`
	// Nodes counts the nodes by what they have.
	Nodes v1alpha1.NodeCounts `json:"nodes"`
	// Version, Thumbprint and NotAfter are those of the certificate on the nodes, in a roll-out of the newest.
	Version    string       `json:"version,omitempty"`
	Thumbprint string       `json:"thumbprint,omitempty"`
	NotAfter   *metav1.Time `json:"notAfter,omitempty"`
	// LatestVersion is the vault's newest, where the version watch is on.
	LatestVersion string `json:"latestVersion,omitempty"`
	// Warnings are those of the conditions ExpiringSoon, SyncFailing and LinkDeclined that are True.
	Warnings []string `json:"warnings,omitempty"`
	// Suspended is spec.suspend.
	Suspended bool `json:"suspended,omitempty"`
	// URL and Store are where the certificate comes from and where it is installed.
	URL   string `json:"url"`
	Store string `json:"store"`
}

// warnings are the conditions that warn while they are True.
var warnings = []string{v1alpha1.ConditionExpiringSoon, v1alpha1.ConditionSyncFailing, v1alpha1.ConditionLinkDeclined}

// maxLine bounds a text from outside, in characters.
const maxLine = 2048

// certificateOf returns the line of a certificate.
func certificateOf(c *v1alpha1.ObservedCertificate) Certificate {
	ready := conditionOf(c, v1alpha1.ConditionReady)
	view := Certificate{
		Name: c.Name, State: stateOf(c), Reason: v1alpha1.Reason(ready.Reason), Message: truncate.Line(ready.Message, maxLine),
		Version: c.Status.Version, Thumbprint: c.Status.Thumbprint, NotAfter: c.Status.NotAfter,
		Suspended: c.Spec.Suspend, URL: truncate.Line(c.Spec.URL, maxLine), Store: storeOf(c), Since: sinceOf(c),
	}
	if view.State == StateUnprocessed {
		view.Reason, view.Message = v1alpha1.ReasonPending, unprocessed(c)
	}
	if c.Status.Nodes != nil {
		view.Nodes = *c.Status.Nodes
		view.Nodes.Summary = ""
	}
	if c.Status.LatestVersion != nil {
		view.LatestVersion = c.Status.LatestVersion.Version
	}
	for _, name := range warnings {
		if isTrue(c, name) {
			view.Warnings = append(view.Warnings, name)
		}
	}
	return view
}

// stateOf reads the conditions. A failure stays one while a changed spec is not processed yet.
func stateOf(c *v1alpha1.ObservedCertificate) State {
	ready := conditionOf(c, v1alpha1.ConditionReady)
	switch {
	case ready.Status == metav1.ConditionFalse:
		return StateFailed
	case ready.Status == "" || c.Status.ObservedGeneration != c.Generation:
		return StateUnprocessed
	case ready.Reason == string(v1alpha1.ReasonNoNodesSelected):
		return StateNoNodes
	case ready.Status != metav1.ConditionTrue:
		return StateRollingOut
	case c.Spec.Suspend:
		return StateSuspended
	}
	return StateInstalled
}

func unprocessed(c *v1alpha1.ObservedCertificate) string {
	if len(c.Status.Conditions) == 0 {
		return "the controller has not processed this certificate yet; if this lasts, check its pod"
	}
	return "the controller has not processed the last change of the spec yet; if this lasts, check its pod"
}

// sinceOf returns when the state began. Nodes that still install make Reconciling True, whatever Ready is meanwhile.
func sinceOf(c *v1alpha1.ObservedCertificate) *metav1.Time {
	from := v1alpha1.ConditionReady
	if stateOf(c) == StateRollingOut && isTrue(c, v1alpha1.ConditionReconciling) {
		from = v1alpha1.ConditionReconciling
	}
	if at := conditionOf(c, from).LastTransitionTime; !at.IsZero() {
		return &at
	}
	return nil
}

func storeOf(c *v1alpha1.ObservedCertificate) string {
	name := cmp.Or(truncate.Line(c.Spec.CertificateStoreName, maxLine), "MY")
	if c.Spec.CertificateStoreLocation == v1alpha1.CurrentUser || c.Spec.CertificateStoreLocation == v1alpha1.CurrentUserPreview {
		return "CurrentUser\\" + name
	}
	return "LocalMachine\\" + name
}

func conditionOf(c *v1alpha1.ObservedCertificate, name string) metav1.Condition {
	if condition := meta.FindStatusCondition(c.Status.Conditions, name); condition != nil {
		return *condition
	}
	return metav1.Condition{}
}

func isTrue(c *v1alpha1.ObservedCertificate, name string) bool {
	return meta.IsStatusConditionTrue(c.Status.Conditions, name)
}

// level returns how well a certificate is.
func (c Certificate) level() terminal.Level {
	switch {
	case c.State == StateFailed:
		return terminal.Bad
	case len(c.Warnings) > 0:
		return terminal.Warning
	case c.State == StateRollingOut, c.State == StateUnprocessed:
		return terminal.Busy
	case c.State == StateNoNodes, c.State == StateSuspended:
		return terminal.Unknown
	}
	return terminal.Good
}

// needsAction reports whether something failed: a node, the polls, or the renewal of a certificate that expires soon.
func (c Certificate) needsAction() bool {
	return c.State == StateFailed || c.warns(v1alpha1.ConditionSyncFailing) || c.warns(v1alpha1.ConditionExpiringSoon)
}

func (c Certificate) warns(condition string) bool {
	return slices.Contains(c.Warnings, condition)
}

// byExpiry orders certificates by their expiry, the soonest first. One that no node has comes last.
func byExpiry(a, b Certificate) int {
	return cmp.Or(compareTimes(a.NotAfter, b.NotAfter), strings.Compare(a.Name, b.Name))
}

func compareTimes(a, b *metav1.Time) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return 1
	case b == nil:
		return -1
	}
	return a.Compare(b.Time)
}

// ago returns how long ago something began, empty where that is not known.
func ago(since *metav1.Time, now time.Time) string {
	if since == nil {
		return ""
	}
	return terminal.Age(now.Sub(since.Time))
}

// until returns when something is, empty where that is not known.
func until(at *metav1.Time, now time.Time) string {
	if at == nil {
		return ""
	}
	return terminal.Until(at.Time, now)
}
