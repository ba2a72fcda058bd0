// Package kubelet runs pods as processes of this machine, where there is no container runtime: program, arguments,
// environment, mounted ConfigMaps and token are what the pod says, and its status says how the process fares. So a chart's
// workloads and hooks do their work in a test, with the rights that the chart gives them.
//
// It runs pods of one container, which must be programs of Vaultpane: it tells them by their variables where the API server
// and their probes are.
package kubelet
