package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/yaml"
)

// crdLimit is how long the API server may take to serve new CRDs; it takes about a second on a machine that is not busy.
const crdLimit = 3 * time.Minute

// InstallCRDs installs or updates the CRDs in the YAML files of dir, one a file as controller-gen writes them, and
// returns when they are served. Other kinds are passed over; a folder without any CRD is an error.
func (c *ControlPlane) InstallCRDs(ctx context.Context, dir string) error {
	ctx, cancel := context.WithTimeout(ctx, crdLimit)
	defer cancel()
	crds, err := readCRDs(dir)
	if err != nil {
		return fmt.Errorf("reading the CRDs of %s: %w", dir, err)
	}
	client, err := clientset.NewForConfig(c.Config())
	if err != nil {
		return fmt.Errorf("making a client for CRDs: %w", err)
	}
	for _, crd := range crds {
		_, err := client.ApiextensionsV1().CustomResourceDefinitions().Patch(ctx, crd.name, types.ApplyPatchType,
			crd.json, metav1.PatchOptions{FieldManager: "vaultpane-controlplane", Force: new(true)})
		if err != nil {
			return fmt.Errorf("installing CRD %s: %w", crd.name, err)
		}
	}
	for _, crd := range crds {
		if err := c.waitServed(ctx, crd); err != nil {
			return fmt.Errorf("waiting for CRD %s: %w", crd.name, err)
		}
	}
	return nil
}

// crd is one file's: what is applied, and the paths under which its objects will be.
type crd struct {
	name  string
	json  []byte
	paths []string
}

func readCRDs(dir string) ([]crd, error) {
	files, err := fs.Glob(os.DirFS(dir), "*.yaml")
	if err != nil {
		return nil, err
	}
	var crds []crd
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(dir, file))
		if err != nil {
			return nil, err
		}
		found, err := parseCRD(text)
		if err != nil {
			return nil, fmt.Errorf("parsing %s: %w", file, err)
		}
		if found.name != "" {
			crds = append(crds, found)
		}
	}
	if len(crds) == 0 {
		return nil, errors.New("there are none")
	}
	return crds, nil
}

// parseCRD returns a crd without name for another kind.
func parseCRD(text []byte) (crd, error) {
	var object apiextensionsv1.CustomResourceDefinition
	if err := yaml.Unmarshal(text, &object); err != nil || object.Kind != "CustomResourceDefinition" {
		return crd{}, err
	}
	json, err := yaml.YAMLToJSON(text) // as written: the type would add empty fields
	found := crd{name: object.Name, json: json}
	for _, version := range object.Spec.Versions {
		if version.Served {
			path := "/apis/" + object.Spec.Group + "/" + version.Name + "/" + object.Spec.Names.Plural
			found.paths = append(found.paths, path)
		}
	}
	return found, err
}

// waitServed lists the objects themselves: the condition Established is set a little before they are served.
func (c *ControlPlane) waitServed(ctx context.Context, crd crd) error {
	var last error
	served := func(ctx context.Context) (bool, error) {
		for _, path := range crd.paths {
			if last = get(ctx, &http.Client{Transport: c.transport}, c.admin.Host+path+"?limit=1"); last != nil {
				return false, nil //nolint:nilerr // tried again
			}
		}
		return true, nil
	}
	if err := wait.PollUntilContextCancel(ctx, 50*time.Millisecond, true, served); err != nil {
		return fmt.Errorf("%w (last response: %w)", err, last)
	}
	return nil
}
