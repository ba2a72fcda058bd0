package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"
)

// runApplyCRDs updates the cluster's CRDs from the folder. Helm installs the CRDs of a chart once and never updates
// them (https://helm.sh/docs/chart_best_practices/custom_resource_definitions/), so the chart runs this before an upgrade.
func runApplyCRDs(ctx context.Context, o options) error {
	direct, err := directClient(o, apiextensionsv1.AddToScheme)
	if err != nil {
		return err
	}
	return applyCRDs(ctx, direct, o.crds)
}

func applyCRDs(ctx context.Context, direct client.Client, folder string) error {
	crds, err := readCRDs(folder)
	if err != nil {
		return fmt.Errorf("reading the CRDs of %s: %w", folder, err)
	}
	for _, crd := range crds {
		if err := replaceCRD(ctx, direct, crd); err != nil {
			return fmt.Errorf("applying CRD %s: %w", crd.Name, err)
		}
		ctrl.Log.Info("Applied", "CustomResourceDefinition", crd.Name)
	}
	return nil
}

// replaceCRD replaces the CRD's spec. Server-side apply would keep fields that another manager, such as Helm, once owned.
func replaceCRD(ctx context.Context, direct client.Client, want *apiextensionsv1.CustomResourceDefinition) error {
	return retry.RetryOnConflict(retry.DefaultRetry, func() error {
		var have apiextensionsv1.CustomResourceDefinition
		err := direct.Get(ctx, client.ObjectKeyFromObject(want), &have)
		if apierrors.IsNotFound(err) {
			return direct.Create(ctx, want.DeepCopy())
		}
		if err != nil {
			return err
		}
		want.Spec.DeepCopyInto(&have.Spec)
		for key, value := range want.Annotations { // the generator's version
			metav1.SetMetaDataAnnotation(&have.ObjectMeta, key, value)
		}
		return direct.Update(ctx, &have)
	})
}

// readCRDs reads a CRD from each file, as controller-gen writes them.
func readCRDs(folder string) ([]*apiextensionsv1.CustomResourceDefinition, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var crds []*apiextensionsv1.CustomResourceDefinition
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		crd := &apiextensionsv1.CustomResourceDefinition{}
		if err := yaml.Unmarshal(text, crd); err != nil {
			return nil, fmt.Errorf("parsing %s: %w", filepath.Base(file), err)
		}
		if crd.Kind == "CustomResourceDefinition" {
			crds = append(crds, crd)
		}
	}
	if len(crds) == 0 {
		return nil, errors.New("there are none")
	}
	return crds, nil
}
