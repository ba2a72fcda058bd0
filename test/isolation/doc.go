// Package isolation proves that a stolen token of a node's agent reaches no further than its node: with tokens as kubelet
// gives them out, the agents' rights, and the admission policies, against a real API server. docs/security.md builds on it.
package isolation
