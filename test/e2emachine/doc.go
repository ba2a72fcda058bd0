// Package e2emachine runs the agent without a cluster as a process of its own, on this system or as the Windows executable under
// Wine, with settings files and a Key Vault over TLS, and looks at what a user would look at: the store, the output and exit codes
// of status and poll, the program beside the agent, and what reached the vault. `make e2e` runs it.
package e2emachine
