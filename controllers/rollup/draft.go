package rollup

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// patience is how long a status waits at most behind more urgent ones.
const patience = 30 * time.Second

// draft is a status that differs from the one that is stored.
type draft struct {
	parcel
	// certificate is the object as it is stored; status is what its status should be.
	certificate *v1alpha1.ObservedCertificate
	status      v1alpha1.ObservedCertificateStatus
	summary     summary
	named       named
	urgency     urgency
}

// urgency orders the writes when there are more than the budget allows.
type urgency int

const (
	urgencyPublished urgency = iota // another version, or the answer to another spec
	urgencyCompleted                // all is well again
	urgencyFailure                  // another reason
	urgencyCounts                   // numbers
)

// urgencyOf says how urgently a status should be replaced by another.
func urgencyOf(before, after v1alpha1.ObservedCertificateStatus) urgency {
	was, is := readyOf(before), readyOf(after)
	switch {
	case before.ObservedGeneration != after.ObservedGeneration, before.Thumbprint != after.Thumbprint, before.Version != after.Version:
		return urgencyPublished
	case was.Status != is.Status && is.Status == metav1.ConditionTrue:
		return urgencyCompleted
	case was.Status != is.Status, was.Reason != is.Reason, syncFails(before) != syncFails(after):
		return urgencyFailure
	}
	return urgencyCounts
}

// sortByUrgency puts first what has waited too long, then the most urgent, then what waits longest.
func sortByUrgency(drafts []draft, now time.Time) {
	overdue := func(d draft) int {
		if now.Sub(d.since) > patience {
			return 0
		}
		return 1
	}
	slices.SortFunc(drafts, func(a, b draft) int {
		if late := overdue(a); late == 0 && overdue(b) == 0 {
			return a.since.Compare(b.since)
		}
		return cmp.Or(cmp.Compare(overdue(a), overdue(b)), cmp.Compare(a.urgency, b.urgency), a.since.Compare(b.since))
	})
}

func readyOf(status v1alpha1.ObservedCertificateStatus) metav1.Condition {
	if ready := meta.FindStatusCondition(status.Conditions, v1alpha1.ConditionReady); ready != nil {
		return *ready
	}
	return metav1.Condition{}
}

func syncFails(status v1alpha1.ObservedCertificateStatus) bool {
	return meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionSyncFailing)
}

func sameStatus(a, b v1alpha1.ObservedCertificateStatus) bool {
	return equality.Semantic.DeepEqual(a, b)
}
