package v1alpha1

// StartupTaintKey is the key of the taint that keeps pods from a node until its first certificates are there. Its owner, who
// puts it on, is whoever owns the node pool; Vaultpane only takes it away.
const StartupTaintKey = "vaultpane.dev/certificates-not-ready"
