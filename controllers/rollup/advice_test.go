package rollup

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// While nodes are on their way, failures names those that it waits for.
func TestPendingNodesAreNamed(t *testing.T) {
	two := with(one, func(e *v1alpha1.CertificateEntry) { e.Version, e.Thumbprint = "v2", "T2" })
	early := with(one, func(e *v1alpha1.CertificateEntry) { e.Generation = 2 })
	x := fleet{{1, two}}.index(t, theWish())
	x.noteArrival(x.certificates["web"], has1, standing{held: heldOf(two)}) // v2 came after v1
	x.observeNode("behind", theNode("behind", one), noon)
	x.observeNode("early", theNode("early", early), noon)
	x.observeNode("empty", theNode("empty"), noon)
	full := theNode("full")
	full.state.Omitted = &v1alpha1.Omitted{Certificates: 9}
	x.observeNode("full", full, noon)
	young := theNode("young")
	young.state, young.lease, young.node.CreationTimestamp = nil, nil, metav1.NewTime(noon)
	x.observeNode("young", young, noon)
	_, s, told, _ := x.picture("web", time.Hour, noon)
	want := map[string]string{
		"behind": "Superseded: the node has version v1 and other nodes have v2; it follows at its next poll, for which the annotation vaultpane.dev/requestedAt asks at once",
		"early":  "Pending: the node's agent has not acted on generation 3 of the spec yet, it reports 2",
		"empty":  "Pending: the node's agent has not reported this certificate yet",
		"full":   "Pending: the node's report leaves out 9 certificates for its size, see omitted of NodeCertificateState full; select fewer certificates for the node",
		"young":  "AgentNotReporting: the node's agent has not reported yet; on a new node its pod may still be starting",
	}
	got := map[string]string{}
	for _, failure := range told.failures {
		got[failure.Node] = string(failure.Reason) + ": " + failure.Message
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	if _, troubled := s.worst(); troubled {
		t.Errorf("it is a trouble: %+v", s.troubles)
	}
}

func TestAPinnedURLIsNamedWhereTheEndComesNear(t *testing.T) {
	const version = "0123456789abcdef0123456789abcdef"
	w, err := wishOf(&v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "u", Generation: 3},
		Spec:       v1alpha1.ObservedCertificateSpec{URL: "https://shop.vault.azure.net:443/secrets/web/" + version},
	})
	if err != nil {
		t.Fatal(err)
	}
	x := fleet{{1, one}}.index(t, w)
	const advice = "; spec.url is pinned to a version, so newer ones are not followed: remove /" + version + " from its end"
	for at, want := range map[time.Time]string{
		noon:                    "False Valid: no node has a certificate that expires before 2026-06-02T12:00:00Z",
		nextDay.Add(-time.Hour): "True ExpiringSoon: 1 node has a certificate that expires on 2026-06-02T12:00:00Z" + advice,
		nextDay.Time:            "True Expired: 1 node has a certificate that expired on 2026-06-02T12:00:00Z" + advice,
	} {
		status := statusFrom(x, v1alpha1.ObservedCertificateStatus{}, time.Hour, at)
		if got := conditionOf(status, v1alpha1.ConditionExpiringSoon); got != want {
			t.Errorf("at %s\ngot  %s\nwant %s", at, got, want)
		}
		if at.Equal(nextDay.Time) && !strings.HasSuffix(status.Failures[0].Message, "; renew it in the vault"+advice) {
			t.Errorf("the failure says %s", status.Failures[0].Message)
		}
	}
	for _, follows := range []string{"https://shop.vault.azure.net/secrets/web", "https://shop.vault.azure.net/secrets/web/", "://", ""} {
		if got := versionOf(follows); got != "" {
			t.Errorf("%s is taken for pinned to %s", follows, got)
		}
	}
}
