// Package e2e runs the agent as a process of its own, on this system or as the Windows executable under Wine, against a real
// control plane and a Key Vault over TLS, and looks at what a user would look at: the store, the node's state, and what
// reached the vault. `make e2e` runs it.
package e2e
