package status

import (
	"cmp"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
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
		return "the controller has not processed this certificate yet; if this lasts, 'kubectl vaultpane doctor' says why"
	}
	return "the controller has not processed the last change of the spec yet; if this lasts, 'kubectl vaultpane doctor' says why"
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

func conditionOf(c *v1alpha1.ObservedCertificate, name string) metav1.Condition {
	if condition := meta.FindStatusCondition(c.Status.Conditions, name); condition != nil {
		return *condition
	}
	return metav1.Condition{}
}

func isTrue(c *v1alpha1.ObservedCertificate, name string) bool {
	return meta.IsStatusConditionTrue(c.Status.Conditions, name)
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
