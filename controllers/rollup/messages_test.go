package rollup

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// During a roll-out, failures names the nodes that are not finished.
func TestPendingNodesAreNamed(t *testing.T) {
	two := with(one, func(e *v1alpha1.CertificateEntry) { e.Version, e.Thumbprint = "v2", "T2" })
	early := with(one, func(e *v1alpha1.CertificateEntry) { e.Generation = 2 })
	x := fleet{{1, two}}.index(t, testDesired())
	x.recordOrder(x.certificates["web"], has1, nodeStatus{held: heldOf(two)}) // v2 appeared after v1
	x.observeNode("behind", testNode("behind", one), noon)
	x.observeNode("early", testNode("early", early), noon)
	x.observeNode("empty", testNode("empty"), noon)
	full := testNode("full")
	full.state.Omitted = &v1alpha1.Omitted{Certificates: 9}
	x.observeNode("full", full, noon)
	young := testNode("young")
	young.state, young.lease, young.node.CreationTimestamp = nil, nil, metav1.NewTime(noon)
	x.observeNode("young", young, noon)
	_, s, named, _ := x.snapshot("web", time.Hour, noon)
	want := map[string]string{
		"behind": "Superseded: the node has version v1, other nodes have v2; the node installs it at its next poll: set the annotation vaultpane.dev/requestedAt to poll now",
		"early":  "Pending: the node's agent has not processed generation 3 of the spec yet; it reports generation 2",
		"empty":  "Pending: the node's agent has not reported this certificate yet",
		"full":   "Pending: the node's report omits 9 certificates because of its size (see omitted of NodeCertificateState full): select fewer certificates for this node",
		"young":  "AgentNotReporting: the node's agent has not reported yet; on a new node its pod may still be starting",
	}
	got := map[string]string{}
	for _, failure := range named.failures {
		got[failure.Node] = string(failure.Reason) + ": " + failure.Message
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	if _, failing := s.worst(); failing {
		t.Errorf("it counts as failing: %+v", s.notInstalled)
	}
}

func TestAPinnedURLIsNamedNearExpiry(t *testing.T) {
	const version = "0123456789abcdef0123456789abcdef"
	w, err := desiredOf(&v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: "web", UID: "u", Generation: 3},
		Spec:       v1alpha1.ObservedCertificateSpec{URL: "https://shop.vault.azure.net:443/secrets/web/" + version},
	})
	if err != nil {
		t.Fatal(err)
	}
	x := fleet{{1, one}}.index(t, w)
	const advice = "; spec.url is pinned to a version, so newer versions are not installed: remove /" + version + " from its end"
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
			t.Errorf("the failure's message is %s", status.Failures[0].Message)
		}
	}
	for _, follows := range []string{"https://shop.vault.azure.net/secrets/web", "https://shop.vault.azure.net/secrets/web/", "://", ""} {
		if got := versionOf(follows); got != "" {
			t.Errorf("%s counts as pinned to %s", follows, got)
		}
	}
}
