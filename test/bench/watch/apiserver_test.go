package watch

import "testing"

func TestTheAPIServersMetricsAreCountedByResource(t *testing.T) {
	const status = `apiserver_request_total{code="200",component="apiserver",dry_run="",group="vaultpane.dev",resource="observedcertificates",scope="resource",subresource="status",verb="PUT",version="v1alpha1"} 4`
	found := writtenLine.FindStringSubmatch(status)
	if found == nil || found[1] != certificates || number(found[2]) != 4 {
		t.Errorf("got %q of a write of a status", found)
	}
	if found := writtenLine.FindStringSubmatch(`apiserver_request_total{code="0",group="",resource="nodes",scope="cluster",subresource="",verb="WATCH",version="v1"} 7`); found != nil {
		t.Errorf("a watch counts as a write: %q", found)
	}
}
