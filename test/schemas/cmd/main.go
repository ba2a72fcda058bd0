// Command cmd cuts the schemas of each supported version of Kubernetes out of its repository, and the Prometheus operator's
// CRDs out of that one's, into charts/testdata. It downloads both as Go modules.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"

	"github.com/vaultpane/vaultpane/test/schemas"
)

const (
	kubernetes         = "k8s.io/kubernetes"
	prometheusOperator = "github.com/prometheus-operator/prometheus-operator"
	// operatorVersion need not be new: who runs a newer operator has all fields of this one.
	operatorVersion = "v0.85.0"
)

var operatorCRDs = []string{
	"monitoring.coreos.com_podmonitors.yaml", "monitoring.coreos.com_prometheusrules.yaml", "monitoring.coreos.com_servicemonitors.yaml",
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, filepath.Join("charts", "testdata"))
	stop()
	if err != nil {
		fmt.Fprintf(os.Stderr, "schemas: FAIL %v\n", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, testdata string) error {
	for _, version := range schemas.Versions {
		if err := cut(ctx, version, filepath.Join(testdata, "schemas", version+".json")); err != nil {
			return err
		}
	}
	dir, err := module(ctx, prometheusOperator, operatorVersion)
	if err != nil {
		return err
	}
	for _, name := range operatorCRDs {
		if err := shorten(filepath.Join(dir, "example", "prometheus-operator-crd", name), filepath.Join(testdata, "crds", name)); err != nil {
			return err
		}
	}
	fmt.Println("schemas: PASS")
	return nil
}

func cut(ctx context.Context, version, path string) error {
	dir, err := module(ctx, kubernetes, version)
	if err != nil {
		return err
	}
	swagger, err := os.ReadFile(filepath.Join(dir, "api", "openapi-spec", "swagger.json"))
	if err != nil {
		return fmt.Errorf("reading Kubernetes' schemas: %w", err)
	}
	set, err := schemas.Cut(version, swagger, schemas.Kinds)
	if err != nil {
		return err
	}
	return set.WriteFile(path)
}

// module is the folder of a module's source.
func module(ctx context.Context, path, version string) (string, error) {
	output, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", path+"@"+version).Output()
	var found struct{ Dir, Error string }
	if decoded := json.Unmarshal(output, &found); decoded != nil || err != nil {
		return "", fmt.Errorf("downloading %s %s: %w %s", path, version, err, found.Error)
	}
	return found.Dir, nil
}
