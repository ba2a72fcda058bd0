// Package kubelet runs pods as processes of this machine, where there is no container runtime: program, arguments,
// environment, mounted ConfigMaps and token are those of the pod, and its status is that of the process. So a chart's
// workloads and hooks do their work in a test, with the rights that the chart gives them.
//
// It runs pods of one container, which must be programs of Vaultpane: it tells them through their variables where the API server
// and their probes are.
package kubelet
