// Package fleet simulates the nodes of a large cluster against a real control plane. The Nodes are kept alive by kwok, as
// kubelets would do it: a node Lease, heartbeats in the status. Their agents are simulated by what they write, a
// NodeCertificateState and a Lease; no certificate exists. The controller runs as a process of its own, with the rights that
// it is installed with, and an audit log counts what it writes.
package fleet
