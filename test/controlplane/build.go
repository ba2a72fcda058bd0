package controlplane

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// build makes the three binaries and puts them at dir in one step, so that dir is whole or absent. The caller holds the
// lock of dir.
func build(ctx context.Context, dir string, log Log) error {
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
	log("Building Kubernetes %s and etcd %s from source: about 10 minutes, once", kubernetesVersion, etcdVersion)
	defer heartbeat(log, "Building")()
	if err := buildEtcd(ctx, filepath.Join(work, "etcd"), bin); err != nil {
		return fmt.Errorf("etcd %s: %w", etcdVersion, err)
	}
	if err := buildKubernetes(ctx, filepath.Join(work, "kubernetes"), bin); err != nil {
		return fmt.Errorf("kubernetes %s: %w", kubernetesVersion, err)
	}
	return replace(bin, dir)
}

// replace puts the folder from at to. A folder at to lacks a binary, or nothing would have been built.
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
	mod, err := upstreamModule(ctx, main, etcdVersion)
	if err != nil {
		return err
	}
	if err := writeModule(dir, moduleFile(mod, main, etcdVersion)); err != nil {
		return err
	}
	_, err = goCommand(ctx, dir, "mod", "build", "-trimpath", "-ldflags=-s -w",
		"-o", Assets{Dir: bin}.Etcd(), main)
	return err
}

func buildKubernetes(ctx context.Context, dir, bin string) error {
	const module = "k8s.io/kubernetes"
	mod, err := upstreamModule(ctx, module, kubernetesVersion)
	if err != nil {
		return err
	}
	if err := writeModule(dir, moduleFile(mod, module, kubernetesVersion)); err != nil {
		return err
	}
	const version = "k8s.io/component-base/version." // without these, clients misread the server's version
	_, err = goCommand(ctx, dir, "mod", "build", "-trimpath",
		"-ldflags=-s -w -X "+version+"gitVersion="+kubernetesVersion+
			" -X "+version+"gitMajor="+kubernetesMajor+" -X "+version+"gitMinor="+kubernetesMinor,
		"-o", bin+string(filepath.Separator), module+"/cmd/kube-apiserver", module+"/cmd/kubectl")
	return err
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
