package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"

	"github.com/vaultpane/vaultpane/test/internal/filelock"
)

// Log takes a line of progress, as (*testing.T).Logf does.
type Log = func(format string, args ...any)

// assetsVariable is the variable that envtest uses too: a folder with kube-apiserver, etcd and kubectl
// (https://book.kubebuilder.io/reference/envtest.html).
const assetsVariable = "KUBEBUILDER_ASSETS"

// apiServerBinaries are what every control plane needs.
var apiServerBinaries = []string{"kube-apiserver", "etcd", "kubectl"}

// Assets is a folder with binaries, those of FindAssets or of FindControllers, and where they came from.
type Assets struct {
	Dir    string
	Source string
}

// KubeAPIServer is the path of kube-apiserver.
func (a Assets) KubeAPIServer() string { return a.path("kube-apiserver") }

// Etcd is the path of etcd.
func (a Assets) Etcd() string { return a.path("etcd") }

// Kubectl is the path of kubectl.
func (a Assets) Kubectl() string { return a.path("kubectl") }

func (a Assets) path(name string) string {
	if runtime.GOOS == "windows" {
		name += ".exe"
	}
	return filepath.Join(a.Dir, name)
}

// check says which binary is missing.
func (a Assets) check(names []string) error {
	for _, name := range names {
		info, err := os.Stat(a.path(name))
		if err != nil {
			return fmt.Errorf("looking for %s: %w", name, err)
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("looking for %s: %s is not a file", name, a.path(name))
		}
	}
	return nil
}

// FindAssets returns the binaries from the first of: $KUBEBUILDER_ASSETS, the cache, setup-envtest, a build from source
// into the cache. The build takes minutes, once per version and user. A KUBEBUILDER_ASSETS without one of the
// binaries is an error: no other binaries are used in its place.
func FindAssets(ctx context.Context, log Log) (Assets, error) {
	assets, err := findAssets(ctx, log)
	if err != nil {
		return Assets{}, err
	}
	log("Control plane binaries: %s (%s)", assets.Dir, assets.Source)
	return assets, nil
}

func findAssets(ctx context.Context, log Log) (Assets, error) {
	if dir := os.Getenv(assetsVariable); dir != "" {
		given := Assets{Dir: dir, Source: assetsVariable}
		if err := given.check(apiServerBinaries); err != nil {
			return Assets{}, fmt.Errorf("using %s=%s: %w", assetsVariable, dir, err)
		}
		return given, nil
	}
	dir, err := cacheDir()
	if err != nil {
		return Assets{}, err
	}
	return cachedOr(ctx, dir, apiServerBinaries, log, func(cached Assets) (Assets, error) { return obtain(ctx, cached, log) })
}

// cachedOr returns the binaries in dir, or lets obtain put them there or find them elsewhere, one process at a time: several
// test binaries that start together build once.
func cachedOr(ctx context.Context, dir string, names []string, log Log, obtain func(Assets) (Assets, error)) (Assets, error) {
	cached := Assets{Dir: dir, Source: "cache"}
	if cached.check(names) == nil {
		return cached, nil
	}
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return Assets{}, fmt.Errorf("making the cache: %w", err)
	}
	lock, err := filelock.Wait(ctx, dir+".lock", func() {
		log("Waiting: another process downloads or builds the control plane binaries")
	})
	if err != nil {
		return Assets{}, err
	}
	defer lock.Release()
	if cached.check(names) == nil { // by the one waited for
		return cached, nil
	}
	return obtain(cached)
}

// obtain downloads or builds.
func obtain(ctx context.Context, cached Assets, log Log) (Assets, error) {
	downloaded, err := setupEnvtest(ctx)
	if err == nil {
		return downloaded, nil
	}
	if ctx.Err() != nil {
		return Assets{}, err
	}
	log("Not from setup-envtest: %v", err)
	log("Building etcd %s and Kubernetes %s from source, once for this user: %s on an idle machine of two cores",
		etcdVersion, kubernetesVersion(), stepEtcd.usual+stepAPIServer.usual)
	if err := build(ctx, cached.Dir, log, stepEtcd, stepAPIServer); err != nil {
		return Assets{}, fmt.Errorf("building the control plane binaries: %w", err)
	}
	cached.Source = "built from source"
	return cached, cached.check(apiServerBinaries)
}

// cacheDir is the folder of this version's binaries: the XDG cache, on Windows %LocalAppData%.
func cacheDir() (string, error) {
	root, err := cacheRoot()
	if err != nil {
		return "", fmt.Errorf("finding the cache folder: %w", err)
	}
	name := kubernetesVersion() + "-" + runtime.GOOS + "-" + runtime.GOARCH
	return filepath.Join(root, "vaultpane", "controlplane", name), nil
}

func cacheRoot() (string, error) {
	if runtime.GOOS == "windows" {
		return os.UserCacheDir()
	}
	if dir := os.Getenv("XDG_CACHE_HOME"); dir != "" {
		if !filepath.IsAbs(dir) {
			return "", errors.New("XDG_CACHE_HOME is not an absolute path")
		}
		return dir, nil
	}
	home, err := os.UserHomeDir()
	return filepath.Join(home, ".cache"), err
}
