// Package e2enode runs the chart on a real Linux node: kubelet, containerd and runc run the real images in pods, and what a user, an
// attacker or an auditor would look at is looked at. `make e2e-node` runs it as root, in a network namespace of its own.
//
// API server, controllers, scheduler, kubelet, containerd, runc, Helm and images are real; the node is one of package linuxnode, and
// Key Vault is this project's endpoint.
package e2enode
