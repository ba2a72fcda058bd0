package rollup

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// A node has an expired certificate; what to do depends on why its successor is not there.
func TestAnExpiredCertificateSaysWhereToLook(t *testing.T) {
	past := metav1.NewTime(noon.Add(-time.Hour))
	expired := with(one, func(e *v1alpha1.CertificateEntry) { e.Version, e.Thumbprint, e.NotAfter = "v0", "T0", &past })
	const ended = "the certificate T0 that the node has expired on 2026-06-01T11:00:00Z"
	tests := []struct {
		name   string
		entry  v1alpha1.CertificateEntry
		others int
		silent bool
		want   string
	}{
		{"nobody has a successor", expired, 0, false, ended + "; renew it in the vault"},
		{"others have it", expired, 2, false, ended + "; other nodes have its successor: ask for a poll with the annotation vaultpane.dev/requestedAt, and look at the agent's pod on that node"},
		{"the agent says why", with(expired, func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason, e.Message = v1alpha1.StatePending, v1alpha1.ReasonThrottled, "asked for less"
		}), 2, false, ended + ", and polls for its successor fail (Throttled): asked for less"},
		{"the agent says why, and what it had was in place", with(expired, func(e *v1alpha1.CertificateEntry) {
			e.Reason, e.Message = v1alpha1.ReasonAccessDenied, "403"
		}), 0, false, ended + ", and polls for its successor fail (AccessDenied): 403"},
		{"the agent says that the secret has expired", with(expired, func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason, e.Message = v1alpha1.StateFailed, v1alpha1.ReasonExpired, "renew it"
		}), 0, false, "renew it"},
		{"its link was declined", with(expired, func(e *v1alpha1.CertificateEntry) {
			e.Reason, e.Message = v1alpha1.ReasonLinkDeclined, "a name less"
		}), 0, false, ended + "; renew it in the vault"},
		{"the agent is silent", expired, 2, true, ended + ", and the node's agent gave its last sign of life on 2026-06-01T09:00:00Z; look at its pod on that node"},
		{"the agent is silent and said something else before", with(expired, func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason, e.Message = v1alpha1.StatePending, v1alpha1.ReasonThrottled, "asked for less"
		}), 0, true, ended + ", and the node's agent gave its last sign of life on 2026-06-01T09:00:00Z; look at its pod on that node"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := fleet{{test.others, one}}.index(t, theWish())
			about := theNode("old", test.entry)
			if test.silent {
				lastSeen := metav1.NewMicroTime(noon.Add(-3 * time.Hour))
				about.lease.Spec.RenewTime = &lastSeen
			}
			x.observeNode("old", about, noon)
			_, _, told, _ := x.picture("web", time.Hour, noon)
			failures := told.failures
			if len(failures) != 1 || failures[0].Reason != v1alpha1.ReasonExpired {
				t.Fatalf("got %+v, want one that is Expired", failures)
			}
			if got := failures[0].Message; got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// Many nodes have one trouble, and one node has another that is less severe.
func TestOfEachReasonOneNodeIsNamed(t *testing.T) {
	refused := with(one, func(e *v1alpha1.CertificateEntry) {
		e.State, e.Reason, e.Message = v1alpha1.StateFailed, v1alpha1.ReasonAccessDenied, "403"
	})
	broken := with(refused, func(e *v1alpha1.CertificateEntry) { e.Reason, e.Message = v1alpha1.ReasonStoreFailure, "disk" })
	x := fleet{{30, refused}}.index(t, theWish())
	x.observeNode("zz", theNode("zz", broken), noon)
	_, _, told, _ := x.picture("web", time.Hour, noon)
	failures := told.failures
	var reasons []v1alpha1.Reason
	for _, failure := range failures {
		reasons = append(reasons, failure.Reason)
	}
	want := append(slices.Repeat([]v1alpha1.Reason{v1alpha1.ReasonAccessDenied}, maxFailures-1), v1alpha1.ReasonStoreFailure)
	if !slices.Equal(reasons, want) || failures[maxFailures-1].Node != "zz" {
		t.Errorf("got %+v", failures)
	}
	for i := range maxFailures - 2 {
		if failures[i].Node >= failures[i+1].Node {
			t.Errorf("%s comes before %s", failures[i].Node, failures[i+1].Node)
		}
	}
}
