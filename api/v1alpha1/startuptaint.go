package v1alpha1

// The startup taint keeps pods off a node until its certificates are there. The owner of the nodes puts it on, the
// controller takes it off; docs/startup-taint.md says how and when.
const (
	// StartupTaintKey is the key of the startup taint. Its value does not matter.
	StartupTaintKey = "vaultpane.dev/certificates-not-ready"
	// StartupTaintEffect is the effect that is meant. A taint with the key and another effect is the same wish.
	StartupTaintEffect = "NoSchedule"
	// AutoscalerStartupTaintKey is the same taint for clusters whose autoscaler cannot be told of StartupTaintKey: it takes
	// what begins like this for a node that will be ready soon, and does not add another one meanwhile
	// (https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#startup-taints).
	AutoscalerStartupTaintKey = "startup-taint.cluster-autoscaler.kubernetes.io/vaultpane-certificates-not-ready"
)

// IsStartupTaintKey reports whether a taint with this key is the startup taint.
func IsStartupTaintKey(key string) bool {
	return key == StartupTaintKey || key == AutoscalerStartupTaintKey
}
