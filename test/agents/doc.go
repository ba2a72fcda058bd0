// Package agents runs the agents of many nodes in one process: the agent's own engine, reconciler, report and Lease, as cmd/agent
// connects them, each with its own Node, store of files, Key Vault client and watches. They share connections to the API server,
// which sees each agent's own token and watches.
package agents
