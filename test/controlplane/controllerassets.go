package controlplane

import (
	"context"
	"fmt"
	"os"
)

// controllerBinaries are what Options.Controllers needs in addition to the API server's.
var controllerBinaries = []string{"kube-controller-manager", "kube-scheduler"}

// controllersSuffix follows the name of the API server's folder in the name of their folder in the cache.
const controllersSuffix = "-controllers"

// KubeControllerManager is the path of kube-controller-manager.
func (a Assets) KubeControllerManager() string { return a.path("kube-controller-manager") }

// KubeScheduler is the path of kube-scheduler.
func (a Assets) KubeScheduler() string { return a.path("kube-scheduler") }

// FindControllers returns kube-controller-manager and kube-scheduler from the first of: $KUBEBUILDER_ASSETS, the cache, a
// build from source into the cache, which takes some minutes, once per version and user. A KUBEBUILDER_ASSETS without
// them is no error, because setup-envtest does not bring them.
func FindControllers(ctx context.Context, log Log) (Assets, error) {
	return findFurther(ctx, log, controllersSuffix, controllerBinaries, stepControllers)
}

// findFurther returns binaries that setup-envtest does not bring, each group in a folder of its own: a folder is whole or absent,
// and the other tests do without it.
func findFurther(ctx context.Context, log Log, suffix string, names []string, step step) (Assets, error) {
	assets, err := furtherAssets(ctx, log, suffix, names, step)
	if err != nil {
		return Assets{}, err
	}
	log("Binaries of %s: %s (%s)", step.what, assets.Dir, assets.Source)
	return assets, nil
}

func furtherAssets(ctx context.Context, log Log, suffix string, names []string, step step) (Assets, error) {
	given := Assets{Dir: os.Getenv(assetsVariable), Source: assetsVariable}
	if given.Dir != "" && given.check(names) == nil {
		return given, nil
	}
	dir, err := cacheDir()
	if err != nil {
		return Assets{}, err
	}
	return cachedOr(ctx, dir+suffix, names, log, func(cached Assets) (Assets, error) {
		log("Building %s %s from source, which setup-envtest does not bring, once for this user: %s on an idle machine of two cores",
			step.what, kubernetesVersion(), step.usual)
		if err := build(ctx, cached.Dir, log, step); err != nil {
			return Assets{}, fmt.Errorf("building %s: %w", step.what, err)
		}
		cached.Source = "built from source"
		return cached, cached.check(names)
	})
}
