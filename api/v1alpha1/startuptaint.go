package v1alpha1

// The startup taint keeps pods off a node until its certificates are installed. The owner of the node pool sets it, and the
// controller removes it; docs/startup-taint.md says how and when.
const (
	// StartupTaintKey is the key of the startup taint. Its value does not matter.
	StartupTaintKey = "vaultpane.dev/certificates-not-ready"
	// StartupTaintEffect is the intended effect. A taint with the key and another effect is treated the same.
	StartupTaintEffect = "NoSchedule"
	// AutoscalerStartupTaintKey is the same taint for clusters whose autoscaler cannot be configured with StartupTaintKey: it treats
	// a node with a taint of this prefix as one that will be ready soon, and does not add another node meanwhile
	// (https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#startup-taints).
	AutoscalerStartupTaintKey = "startup-taint.cluster-autoscaler.kubernetes.io/vaultpane-certificates-not-ready"
)

// IsStartupTaintKey reports whether a taint with this key is the startup taint.
func IsStartupTaintKey(key string) bool {
	return key == StartupTaintKey || key == AutoscalerStartupTaintKey
}
