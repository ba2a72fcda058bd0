// Package heartbeat defines what the Leases of Vaultpane say. That of an agent: that it runs, and since when a poll is overdue or its
// report cannot be written. That of the version watch: which vaults it sees. One side writes them, and the other reads them.
package heartbeat

import (
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Period is the time between two renewals of the Lease. A node whose Lease is older than three of them counts as not reporting.
const Period = 5 * time.Minute

// Annotations of the Lease, RFC 3339 times. The Lease is written anyway, so they cost no request.
const (
	overdueAnnotation   = "vaultpane.dev/poll-overdue-since"
	unwrittenAnnotation = "vaultpane.dev/report-unwritten-since"
)

// Annotate sets since when the agent's oldest poll is overdue, and since when it cannot write its report; zero for neither.
func Annotate(lease *coordinationv1.Lease, overdue, unwritten time.Time) {
	for name, since := range map[string]time.Time{overdueAnnotation: overdue, unwrittenAnnotation: unwritten} {
		delete(lease.Annotations, name)
		if !since.IsZero() {
			metav1.SetMetaDataAnnotation(&lease.ObjectMeta, name, since.UTC().Format(time.RFC3339))
		}
	}
}

// OverdueSince returns since when the oldest poll of a Lease's agent was overdue at the last renewal, zero for none.
func OverdueSince(lease *coordinationv1.Lease) time.Time { return annotated(lease, overdueAnnotation) }

// UnwrittenSince returns since when a Lease's agent could not write its report at the last renewal, zero where it could: the
// node's state is older than that.
func UnwrittenSince(lease *coordinationv1.Lease) time.Time {
	return annotated(lease, unwrittenAnnotation)
}

func annotated(lease *coordinationv1.Lease, name string) time.Time {
	since, err := time.Parse(time.RFC3339, lease.Annotations[name])
	if err != nil {
		return time.Time{}
	}
	return since
}
