package controlplane

import (
	"strconv"
	"testing"

	"k8s.io/client-go/discovery"
)

// Minor is the API server's minor version, 37 for v1.37.2: for what older ones, which are supported too, say in other words.
func (c *ControlPlane) Minor(t testing.TB) int {
	t.Helper()
	client, err := discovery.NewDiscoveryClientForConfig(c.Config())
	if err != nil {
		t.Fatalf("making a client: %v", err)
	}
	version, err := client.ServerVersion()
	if err != nil {
		t.Fatalf("reading the API server's version: %v", err)
	}
	minor, err := strconv.Atoi(version.Minor)
	if err != nil {
		t.Fatalf("reading the API server's version %+v: %v", version, err)
	}
	return minor
}

// SkipBefore skips the test of something that came with Kubernetes 1.minor where the API server is older.
func (c *ControlPlane) SkipBefore(t testing.TB, minor int) {
	t.Helper()
	if is := c.Minor(t); is < minor {
		t.Skipf("it came with Kubernetes 1.%d, and this is 1.%d", minor, is)
	}
}
