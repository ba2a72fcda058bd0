// Package controlplane runs a real kube-apiserver and etcd as plain processes on loopback, without containers, for tests,
// the demo and developers. There is no controller-manager and no scheduler unless Options.Controllers requests them: nothing
// makes service accounts' objects and pods, or collects garbage. There never is a kubelet: nothing runs pods.
//
// controller-runtime's envtest is not used: it makes new keys and users at every start, so that its API server cannot be
// killed and come back as the same one, and its v0.25.2 does not compile for Windows (signalProcess is declared twice).
package controlplane
