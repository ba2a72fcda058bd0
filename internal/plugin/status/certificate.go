// Package status computes what kubectl vaultpane status shows: all certificates, one certificate on its nodes, and the certificates of
// one node. The structures are what -o json prints; the texts are made of them. Nothing here reads a cluster or a clock.
package status

import (
	"cmp"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
	"github.com/vaultpane/vaultpane/internal/truncate"
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
	// RollbackFrom is a newer version that must not be used any more.
	RollbackFrom string `json:"rollbackFrom,omitempty"`
	// VersionWatch says why the version watch does not see the certificate, absent where it does or is off.
	VersionWatch string `json:"versionWatch,omitempty"`
	// Rollout is a roll-out in waves, absent without waves.
	Rollout *Rollout `json:"rollout,omitempty"`
	// Uses counts the nodes of each entry of spec.usedBy by state.
	Uses []v1alpha1.UseCounts `json:"uses,omitempty"`
	// Warnings are those of the conditions ExpiringSoon, SyncFailing, LinkDeclined, UseFailed and RolloutHalted that are True.
	Warnings []string `json:"warnings,omitempty"`
	// Suspended is spec.suspend.
	Suspended bool `json:"suspended,omitempty"`
	// URL and Store are where the certificate comes from and where it is installed.
	URL   string `json:"url"`
	Store string `json:"store"`
}

// Rollout is how far a roll-out in waves is.
type Rollout struct {
	// Version is the version that is rolled out, and Wave the last wave that may have it, of Waves.
	Version string `json:"version,omitempty"`
	Wave    int32  `json:"wave,omitempty"`
	Waves   int    `json:"waves"`
	// Reason and Message are those of the condition RolloutHalted.
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// rolloutOf returns a certificate's roll-out in waves, nil without waves.
func rolloutOf(c *v1alpha1.ObservedCertificate) *Rollout {
	if c.Spec.Rollout == nil {
		return nil
	}
	halted := conditionOf(c, v1alpha1.ConditionRolloutHalted)
	rollout := &Rollout{Waves: len(c.Spec.Rollout.Waves), Reason: halted.Reason, Message: truncate.Line(halted.Message, maxLine)}
	if status := c.Status.Rollout; status != nil {
		rollout.Version, rollout.Wave = status.Version, status.Wave
	}
	return rollout
}

// unwatched returns why the version watch does not see a certificate, empty where it does, is off or has nothing to see.
func unwatched(c *v1alpha1.ObservedCertificate) string {
	watched := conditionOf(c, v1alpha1.ConditionVersionWatched)
	if watched.Status != metav1.ConditionFalse || !v1alpha1.Reason(watched.Reason).IsFailure() {
		return ""
	}
	return watched.Reason + ": " + truncate.Line(watched.Message, maxLine)
}

// warnings are the conditions that warn while they are True.
var warnings = []string{v1alpha1.ConditionExpiringSoon, v1alpha1.ConditionSyncFailing, v1alpha1.ConditionLinkDeclined, v1alpha1.ConditionUseFailed, v1alpha1.ConditionRolloutHalted}

// maxLine bounds a text from outside, in characters.
const maxLine = 2048

// certificateOf returns the line of a certificate.
func certificateOf(c *v1alpha1.ObservedCertificate) Certificate {
	ready := conditionOf(c, v1alpha1.ConditionReady)
	view := Certificate{
		Name: c.Name, State: stateOf(c), Reason: v1alpha1.Reason(ready.Reason), Message: truncate.Line(ready.Message, maxLine),
		Version: c.Status.Version, Thumbprint: c.Status.Thumbprint, NotAfter: c.Status.NotAfter,
		Suspended: c.Spec.Suspend, URL: truncate.Line(c.Spec.Source(), maxLine), Store: storeOf(c), Since: sinceOf(c),
	}
	if view.State == StateUnprocessed {
		view.Reason, view.Message = v1alpha1.ReasonPending, unprocessed(c)
	}
	if c.Status.Nodes != nil {
		view.Nodes = *c.Status.Nodes
		view.Nodes.Summary = ""
	}
	if c.Status.LatestVersion != nil {
		view.LatestVersion, view.RollbackFrom = c.Status.LatestVersion.Version, c.Status.LatestVersion.RollbackFrom
	}
	view.Rollout, view.VersionWatch, view.Uses = rolloutOf(c), unwatched(c), c.Status.Uses
	for _, name := range warnings {
		if isTrue(c, name) {
			view.Warnings = append(view.Warnings, name)
		}
	}
	return view
}

func storeOf(c *v1alpha1.ObservedCertificate) string {
	name := cmp.Or(truncate.Line(c.Spec.CertificateStoreName, maxLine), "MY")
	if c.Spec.CertificateStoreLocation == v1alpha1.CurrentUser || c.Spec.CertificateStoreLocation == v1alpha1.CurrentUserPreview {
		return "CurrentUser\\" + name
	}
	return "LocalMachine\\" + name
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
