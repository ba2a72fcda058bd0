package controlplane

import (
	"cmp"
	"fmt"
	"os"
	"strings"
)

// The pins: everything else about versions follows from these two.
const (
	pinnedKubernetes = "v1.37.2"
	etcdVersion      = "v3.6.8"
)

// versionVariable names another release of Kubernetes, as v1.30.14, that the binaries are obtained of: to see a test pass
// with a version that is supported and not pinned. KUBEBUILDER_ASSETS goes before it.
const versionVariable = "VAULTPANE_TEST_KUBERNETES"

// kubernetesVersion is the release of Kubernetes, as v1.37.2.
func kubernetesVersion() string { return cmp.Or(os.Getenv(versionVariable), pinnedKubernetes) }

// stagingVersion is what the modules under Kubernetes' staging folder are published as: v0.37.2 for v1.37.2.
func stagingVersion(kubernetes string) string { return "v0." + strings.TrimPrefix(kubernetes, "v1.") }

// majorMinor are 1 and 37 for v1.37.2. What is no version shows when it is downloaded.
func majorMinor(kubernetes string) (major, minor string) {
	major, rest, _ := strings.Cut(strings.TrimPrefix(kubernetes, "v"), ".")
	minor, _, _ = strings.Cut(rest, ".")
	return major, minor
}

// envtestSelector is for setup-envtest, whose index does not hold every patch release.
func envtestSelector(kubernetes string) string {
	major, minor := majorMinor(kubernetes)
	return fmt.Sprintf("%s.%s.x", major, minor)
}
