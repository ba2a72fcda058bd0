package rollup

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Reasons of conditions that say that there is nothing to say.
const (
	reasonValid        = "Valid"        // ExpiringSoon is False
	reasonNotInstalled = "NotInstalled" // ExpiringSoon or SyncFailing is False: no node has a certificate
	reasonSynced       = "Synced"       // SyncFailing is False
	reasonNoneDeclined = "NoneDeclined" // LinkDeclined is False
	reasonNotEnabled   = "NotEnabled"   // LinkDeclined is False: linkOnRenewal is off
)

func (s summary) expiringSoon(w wish, soon time.Duration, now time.Time) metav1.Condition {
	condition := metav1.Condition{Type: v1alpha1.ConditionExpiringSoon, Status: metav1.ConditionFalse}
	end := time.Unix(s.ends, 0).UTC()
	switch {
	case s.ends == 0:
		condition.Reason, condition.Message = reasonNotInstalled, "no node has a certificate yet"
		return condition
	case !now.Before(end):
		condition.Status, condition.Reason = metav1.ConditionTrue, string(v1alpha1.ReasonExpired)
		condition.Message = fmt.Sprintf("%s a certificate that expired on %s", have(s.endsOn), end.Format(time.RFC3339))
	case !now.Before(end.Add(-soon)):
		condition.Status, condition.Reason = metav1.ConditionTrue, string(v1alpha1.ReasonExpiringSoon)
		condition.Message = fmt.Sprintf("%s a certificate that expires on %s", have(s.endsOn), end.Format(time.RFC3339))
	default:
		condition.Reason, condition.Message = reasonValid, "no node has a certificate that expires before "+end.Format(time.RFC3339)
		return condition
	}
	if w.pinned != "" {
		condition.Message += "; " + w.pin()
	}
	return condition
}

// failingSync tells apart that nodes have a valid certificate and that their polls fail.
func (s summary) failingSync(w wish, syncing []v1alpha1.NodeFailure) metav1.Condition {
	condition := metav1.Condition{Type: v1alpha1.ConditionSyncFailing, Status: metav1.ConditionFalse}
	switch {
	case s.syncFailing > 0 && len(syncing) > 0:
		condition.Status, condition.Reason = metav1.ConditionTrue, string(s.syncs[0].reason)
		condition.Message = fmt.Sprintf("polls fail on %d of %s where a valid certificate is installed, so a renewal would not arrive: %s; %s",
			s.syncFailing, nodes(s.matched), reasonsOf(s.syncs), onNodes(syncing, s.syncFailing))
	case w.suspended:
		condition.Reason, condition.Message = string(v1alpha1.ReasonSuspended), "suspended: nothing is polled"
	case s.ends == 0:
		condition.Reason, condition.Message = reasonNotInstalled, "no node has a certificate yet"
	default:
		condition.Reason, condition.Message = reasonSynced, "polls fail on no node that has a valid certificate"
	}
	return condition
}

// declinedLink says that what uses an older version does not follow.
func (s summary) declinedLink(w wish, declined []v1alpha1.NodeFailure) metav1.Condition {
	condition := metav1.Condition{Type: v1alpha1.ConditionLinkDeclined, Status: metav1.ConditionFalse}
	switch {
	case s.declined > 0 && len(declined) > 0:
		condition.Status, condition.Reason = metav1.ConditionTrue, string(v1alpha1.ReasonLinkDeclined)
		condition.Message = fmt.Sprintf("an older version is not linked to the current one on %d of %s; %s", s.declined, nodes(s.matched), onNodes(declined, s.declined))
	case !w.links:
		condition.Reason, condition.Message = reasonNotEnabled, "spec.linkOnRenewal is not set"
	default:
		condition.Reason, condition.Message = reasonNoneDeclined, "no node has an older version that was not linked"
	}
	return condition
}

// onNodes names nodes, with the message of the first, and says how many there are beside them.
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
