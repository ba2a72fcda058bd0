package rollup

import (
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// A node has an expired certificate. What to do depends on why it was not replaced.
func TestTheMessageOfAnExpiredCertificateSaysWhatToDo(t *testing.T) {
	past := metav1.NewTime(noon.Add(-time.Hour))
	expired := with(one, func(e *v1alpha1.CertificateEntry) { e.Version, e.Thumbprint, e.NotAfter = "v0", "T0", &past })
	const expiredOn = "certificate T0 on the node expired on 2026-06-01T11:00:00Z"
	tests := []struct {
		name   string
		entry  v1alpha1.CertificateEntry
		others int
		stale  bool
		want   string
	}{
		{"no node has a newer version", expired, 0, false, expiredOn + "; renew it in the vault"},
		{"other nodes have a newer version", expired, 2, false, expiredOn + "; other nodes have a newer version: request a poll with the annotation vaultpane.dev/requestedAt, and check the agent's pod on this node"},
		{"the agent reports why", with(expired, func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason, e.Message = v1alpha1.StatePending, v1alpha1.ReasonThrottled, "the vault throttles"
		}), 2, false, expiredOn + ", and polls for a newer version fail (Throttled): the vault throttles"},
		{"the agent reports why, with the certificate installed", with(expired, func(e *v1alpha1.CertificateEntry) {
			e.Reason, e.Message = v1alpha1.ReasonAccessDenied, "403"
		}), 0, false, expiredOn + ", and polls for a newer version fail (AccessDenied): 403"},
		{"the agent reports that the secret has expired", with(expired, func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason, e.Message = v1alpha1.StateFailed, v1alpha1.ReasonExpired, "renew it"
		}), 0, false, "renew it"},
		{"its link was declined", with(expired, func(e *v1alpha1.CertificateEntry) {
			e.Reason, e.Message = v1alpha1.ReasonLinkDeclined, "a name less"
		}), 0, false, expiredOn + "; renew it in the vault"},
		{"the agent does not report", expired, 2, true, expiredOn + ", and the node's agent has not renewed its Lease since 2026-06-01T09:00:00Z: check its pod on this node"},
		{"the agent does not report, and reported another reason before", with(expired, func(e *v1alpha1.CertificateEntry) {
			e.State, e.Reason, e.Message = v1alpha1.StatePending, v1alpha1.ReasonThrottled, "the vault throttles"
		}), 0, true, expiredOn + ", and the node's agent has not renewed its Lease since 2026-06-01T09:00:00Z: check its pod on this node"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			x := fleet{{test.others, one}}.index(t, testDesired())
			old := testNode("old", test.entry)
			if test.stale {
				lastSeen := metav1.NewMicroTime(noon.Add(-3 * time.Hour))
				old.lease.Spec.RenewTime = &lastSeen
			}
			x.observeNode("old", old, noon)
			_, _, named, _ := x.snapshot("web", time.Hour, noon)
			failures := named.failures
			if len(failures) != 1 || failures[0].Reason != v1alpha1.ReasonExpired {
				t.Fatalf("got %+v, want one that is Expired", failures)
			}
			if got := failures[0].Message; got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// Many nodes have one failure, and one node has another that is less severe.
func TestOneNodeOfEachReasonIsNamed(t *testing.T) {
	refused := with(one, func(e *v1alpha1.CertificateEntry) {
		e.State, e.Reason, e.Message = v1alpha1.StateFailed, v1alpha1.ReasonAccessDenied, "403"
	})
	broken := with(refused, func(e *v1alpha1.CertificateEntry) { e.Reason, e.Message = v1alpha1.ReasonStoreFailure, "disk" })
	x := fleet{{30, refused}}.index(t, testDesired())
	x.observeNode("zz", testNode("zz", broken), noon)
	_, _, named, _ := x.snapshot("web", time.Hour, noon)
	failures := named.failures
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
