package controlplane

import "context"

// kubeletBinaries are what a real node needs in addition to the API server's and the controllers' binaries.
var kubeletBinaries = []string{"kubelet"}

// kubeletSuffix follows the name of the API server's folder in the name of kubelet's folder in the cache.
const kubeletSuffix = "-kubelet"

// Kubelet is the path of kubelet.
func (a Assets) Kubelet() string { return a.path("kubelet") }

// FindKubelet returns kubelet, which exists for Linux and Windows, from the same places as FindControllers.
func FindKubelet(ctx context.Context, log Log) (Assets, error) {
	return findFurther(ctx, log, kubeletSuffix, kubeletBinaries, stepKubelet)
}
