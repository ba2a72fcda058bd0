package versionwatch

import (
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Only nodes that have to fetch a version count. Else a new leader, for which every version is new, would reserve minutes or hours
// for what is published already, and the next renewal would wait for them.
func TestNodesCountWhereTheyHaveToFetch(t *testing.T) {
	nodes := &v1alpha1.NodeCounts{Matched: 10, Installed: 7}
	published := v1alpha1.ObservedCertificateStatus{Nodes: nodes, LatestVersion: &v1alpha1.LatestVersion{Version: "b"}, Version: "a"}
	unpublished := v1alpha1.ObservedCertificateStatus{Nodes: nodes, Version: "b"}
	users := []v1alpha1.ObservedCertificate{{Status: published}, {Status: unpublished}, {}}
	for version, want := range map[string]int{"b": 3, "c": 20} {
		if got := nodesOf(users, version); got != want {
			t.Errorf("%d nodes fetch version %s, want %d", got, version, want)
		}
	}
}
