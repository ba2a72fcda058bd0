package controlplane

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// step builds some binaries.
type step struct {
	// what it builds, and how long that takes on an idle machine of two cores with nothing in Go's build cache.
	what  string
	usual time.Duration
	// run builds into bin, in an empty folder of its own.
	run func(ctx context.Context, dir, bin string) error
}

// The steps, with times as measured.
var (
	stepEtcd        = step{"etcd", time.Minute, buildEtcd}
	stepAPIServer   = step{"kube-apiserver and kubectl", 8 * time.Minute, buildAPIServer}
	stepControllers = step{"kube-controller-manager and kube-scheduler", 3 * time.Minute, buildControllers}
	stepKubelet     = step{"kubelet", 8 * time.Minute, buildKubelet}
)

// build makes binaries and puts them at dir in one step, so that dir is whole or absent. The caller holds the lock of dir.
func build(ctx context.Context, dir string, log Log, steps ...step) error {
	work := dir + ".building"
	// what a killed build left, and what this one leaves
	if err := os.RemoveAll(work); err != nil {
		return fmt.Errorf("removing an unfinished build: %w", err)
	}
	defer func() { _ = os.RemoveAll(work) }() // the next build removes it too
	bin := filepath.Join(work, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return fmt.Errorf("making the build folder: %w", err)
	}
	for number, step := range steps {
		stop := heartbeat(log, step, fmt.Sprintf("step %d of %d", number+1, len(steps)))
		err := step.run(ctx, filepath.Join(work, fmt.Sprint(number)), bin)
		stop()
		if err != nil {
			return err
		}
	}
	return replace(bin, dir)
}

// replace moves the folder from to the path to. A folder that exists there is incomplete, or nothing would have been built.
func replace(from, to string) error {
	if err := os.RemoveAll(to); err != nil {
		return fmt.Errorf("removing an incomplete cache: %w", err)
	}
	if err := os.Rename(from, to); err != nil {
		return fmt.Errorf("putting the build into the cache: %w", err)
	}
	return nil
}

func buildEtcd(ctx context.Context, dir, bin string) error {
	const main = "go.etcd.io/etcd/server/v3"
	return buildModule(ctx, dir, main, etcdVersion, "-ldflags=-s -w", "-o", Assets{Dir: bin}.Etcd(), main)
}

func buildAPIServer(ctx context.Context, dir, bin string) error {
	return buildKubernetes(ctx, dir, bin, "kube-apiserver", "kubectl")
}

func buildControllers(ctx context.Context, dir, bin string) error {
	return buildKubernetes(ctx, dir, bin, controllerBinaries...)
}

func buildKubelet(ctx context.Context, dir, bin string) error {
	return buildKubernetes(ctx, dir, bin, kubeletBinaries...)
}

func buildKubernetes(ctx context.Context, dir, bin string, commands ...string) error {
	const module = "k8s.io/kubernetes"
	const version = "k8s.io/component-base/version." // without these, clients misread the server's version
	release := kubernetesVersion()
	major, minor := majorMinor(release)
	args := []string{
		"-ldflags=-s -w -X " + version + "gitVersion=" + release + " -X " + version + "gitMajor=" + major + " -X " + version + "gitMinor=" + minor,
		"-o", bin + string(filepath.Separator),
	}
	for _, command := range commands {
		args = append(args, module+"/cmd/"+command)
	}
	return buildModule(ctx, dir, module, release, args...)
}

// buildModule builds commands of a module as its own repository does; args are those of go build.
func buildModule(ctx context.Context, dir, module, version string, args ...string) error {
	mod, err := upstreamModule(ctx, module, version)
	if err != nil {
		return fmt.Errorf("%s %s: %w", module, version, err)
	}
	if err := writeModule(dir, moduleFile(mod, module, version)); err != nil {
		return err
	}
	if _, err = goCommand(ctx, dir, "mod", append([]string{"build", "-trimpath"}, args...)...); err != nil {
		return fmt.Errorf("%s %s: %w", module, version, err)
	}
	return nil
}

// upstreamModule reads the go.mod of a module at a version, which the go command puts into its module cache.
func upstreamModule(ctx context.Context, path, version string) (goMod, error) {
	var found struct{ GoMod string }
	var mod goMod
	out, err := goCommand(ctx, os.TempDir(), "mod", "mod", "download", "-json", path+"@"+version)
	if err != nil {
		return mod, err
	}
	if err := json.Unmarshal(out, &found); err != nil {
		return mod, fmt.Errorf("reading what go mod download says: %w", err)
	}
	out, err = goCommand(ctx, os.TempDir(), "mod", "mod", "edit", "-json", found.GoMod)
	if err != nil {
		return mod, err
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		return mod, fmt.Errorf("reading %s: %w", found.GoMod, err)
	}
	return mod, nil
}

func writeModule(dir, text string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("making a module to build in: %w", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing its go.mod: %w", err)
	}
	return nil
}
