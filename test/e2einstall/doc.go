// Package e2einstall installs the Helm chart as an operator does, in a cluster with Windows and Linux nodes, and lives with
// it: first certificate, a node that goes, upgrade, changed values, uninstallation, reinstallation. `make e2e-install` runs it.
//
// API server, controller-manager, scheduler and Helm are real. The nodes are kwok's. Pods on some of them run as processes of
// this machine, with the token, the arguments and the environment that their pod has (package kubelet); pods on the others
// are only said to run.
package e2einstall
