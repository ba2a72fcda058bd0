package rollup

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Reasons of conditions that are not True.
const (
	reasonValid        = "Valid"        // ExpiringSoon is False
	reasonNotInstalled = "NotInstalled" // ExpiringSoon or SyncFailing is False: no node has a certificate
	reasonSynced       = "Synced"       // SyncFailing is False
	reasonNoneDeclined = "NoneDeclined" // LinkDeclined is False
	reasonNotEnabled   = "NotEnabled"   // LinkDeclined is False: linkOnRenewal is off
	reasonNoneFailed   = "NoneFailed"   // UseFailed is False
)

// ready returns the condition Ready: Unknown while nodes are not finished and none fails.
func (s summary) ready(w desired) metav1.Condition {
	ready := metav1.Condition{Type: v1alpha1.ConditionReady, Message: s.message(w)}
	worst, failing := s.worst()
	switch {
	case s.matched == 0:
		ready.Status, ready.Reason = metav1.ConditionUnknown, string(v1alpha1.ReasonNoNodesSelected)
	case failing:
		ready.Status, ready.Reason = metav1.ConditionFalse, string(worst.reason)
	case w.suspended && s.installed == s.matched:
		ready.Status, ready.Reason = metav1.ConditionTrue, string(v1alpha1.ReasonSuspended)
	case w.suspended:
		ready.Status, ready.Reason = metav1.ConditionFalse, string(v1alpha1.ReasonSuspended) // no progress while suspended
	case s.pending > 0:
		ready.Status, ready.Reason = metav1.ConditionUnknown, string(v1alpha1.ReasonRollingOut)
	default:
		ready.Status, ready.Reason = metav1.ConditionTrue, string(v1alpha1.ReasonInstalled)
	}
	return ready
}

func (s summary) reconciling(w desired, ready metav1.Condition) metav1.Condition {
	reconciling := metav1.Condition{Type: v1alpha1.ConditionReconciling, Status: metav1.ConditionFalse, Reason: ready.Reason, Message: ready.Message}
	if s.installed < s.matched && !s.stalled() && !w.suspended {
		reconciling.Status = metav1.ConditionTrue
	}
	return reconciling
}

func (s summary) isStalled(ready metav1.Condition) metav1.Condition {
	stalled := metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionFalse, Reason: ready.Reason, Message: "no node needs a change of the spec"}
	if s.stalled() {
		stalled.Status, stalled.Message = metav1.ConditionTrue, ready.Message
	}
	return stalled
}

func (s summary) expiringSoon(w desired, within time.Duration, now time.Time) metav1.Condition {
	condition := metav1.Condition{Type: v1alpha1.ConditionExpiringSoon, Status: metav1.ConditionFalse}
	end := time.Unix(s.expiry, 0).UTC()
	switch {
	case s.expiry == 0:
		condition.Reason, condition.Message = reasonNotInstalled, "no node has a certificate yet"
		return condition
	case !now.Before(end):
		condition.Status, condition.Reason = metav1.ConditionTrue, string(v1alpha1.ReasonExpired)
		condition.Message = fmt.Sprintf("%s a certificate that expired on %s", have(s.expiryNodes), end.Format(time.RFC3339))
	case !now.Before(end.Add(-within)):
		condition.Status, condition.Reason = metav1.ConditionTrue, string(v1alpha1.ReasonExpiringSoon)
		condition.Message = fmt.Sprintf("%s a certificate that expires on %s", have(s.expiryNodes), end.Format(time.RFC3339))
	default:
		condition.Reason, condition.Message = reasonValid, "no node has a certificate that expires before "+end.Format(time.RFC3339)
		return condition
	}
	if w.pinned != "" {
		condition.Message += "; " + w.pin()
	}
	return condition
}

// failingSync returns the condition SyncFailing: nodes have a valid certificate, and their polls fail.
func (s summary) failingSync(w desired, named []v1alpha1.NodeFailure) metav1.Condition {
	condition := metav1.Condition{Type: v1alpha1.ConditionSyncFailing, Status: metav1.ConditionFalse}
	switch {
	case s.syncFailing > 0 && len(named) > 0:
		condition.Status, condition.Reason = metav1.ConditionTrue, string(s.pollFailures[0].reason)
		condition.Message = fmt.Sprintf("polls fail on %d of %s where a valid certificate is installed, so a renewal would not be installed: %s; %s",
			s.syncFailing, nodes(s.matched), reasonText(s.pollFailures), onNodes(named, s.syncFailing))
	case w.suspended:
		condition.Reason, condition.Message = string(v1alpha1.ReasonSuspended), "suspended: nothing is polled"
	case s.expiry == 0:
		condition.Reason, condition.Message = reasonNotInstalled, "no node has a certificate yet"
	default:
		condition.Reason, condition.Message = reasonSynced, "polls fail on no node that has a valid certificate"
	}
	return condition
}

// declinedLink returns the condition LinkDeclined: programs that use an older version do not switch to the current one.
func (s summary) declinedLink(w desired, named []v1alpha1.NodeFailure) metav1.Condition {
	condition := metav1.Condition{Type: v1alpha1.ConditionLinkDeclined, Status: metav1.ConditionFalse}
	switch {
	case s.linkDeclined > 0 && len(named) > 0:
		condition.Status, condition.Reason = metav1.ConditionTrue, string(v1alpha1.ReasonLinkDeclined)
		condition.Message = fmt.Sprintf("an older version is not linked to the current one on %d of %s; %s", s.linkDeclined, nodes(s.matched), onNodes(named, s.linkDeclined))
	case !w.links:
		condition.Reason, condition.Message = reasonNotEnabled, "spec.linkOnRenewal is not set"
	default:
		condition.Reason, condition.Message = reasonNoneDeclined, "no link from an older version was declined"
	}
	return condition
}

// onNodes names nodes, with the message of the first, and counts the others.
func onNodes(named []v1alpha1.NodeFailure, count int) string {
	text := "on " + named[0].Node
	if named[0].Message != "" {
		text += ": " + named[0].Message
	}
	for i, other := range named[1:] {
		text += map[bool]string{true: "; also on ", false: ", "}[i == 0] + other.Node
	}
	if more := count - len(named); more > 0 {
		text += fmt.Sprintf("; and on %d more", more)
	}
	return text
}
