package main

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/internal/scheme"
	"github.com/vaultpane/vaultpane/test/controlplane"
)

const crdFolder = "../../config/crd"

func TestCRDsGetTheSpecOfTheFolderAndNothingOfAnEarlierOne(t *testing.T) {
	direct := clientForCRDs(t)
	wanted, err := readCRDs(crdFolder)
	if err != nil {
		t.Fatal(err)
	}
	for _, crd := range wanted[1:] { // the first does not exist, and is created
		earlier := crd.DeepCopy()
		schema := earlier.Spec.Versions[0].Schema.OpenAPIV3Schema
		schema.Properties["gone"] = apiextensionsv1.JSONSchemaProps{Type: "string"}
		schema.Description = "an earlier one"
		if err := direct.Create(t.Context(), earlier, client.FieldOwner("helm")); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // again, as after a failure
		if err := applyCRDs(t.Context(), direct, crdFolder); err != nil {
			t.Fatal(err)
		}
	}
	for _, crd := range wanted {
		var have apiextensionsv1.CustomResourceDefinition
		if err := direct.Get(t.Context(), client.ObjectKeyFromObject(crd), &have); err != nil {
			t.Fatal(err)
		}
		if difference := cmp.Diff(crd.Spec.Versions[0].Schema, have.Spec.Versions[0].Schema); difference != "" {
			t.Errorf("the schema of %s is not that of the folder (-), but (+):\n%s", crd.Name, difference)
		}
	}
}

func TestAFolderWithoutCRDsIsAnError(t *testing.T) {
	for _, folder := range []string{t.TempDir(), filepath.Join(t.TempDir(), "missing"), "../../config/samples"} {
		if _, err := readCRDs(folder); err == nil {
			t.Errorf("reading %s is no error", folder)
		}
	}
}

// clientForCRDs is an administrator's, of an API server without the CRDs.
func clientForCRDs(t *testing.T) client.Client {
	t.Helper()
	types, err := scheme.New(apiextensionsv1.AddToScheme)
	if err != nil {
		t.Fatal(err)
	}
	direct, err := client.New(controlplane.ForTest(t).Config(), client.Options{Scheme: types})
	if err != nil {
		t.Fatal(err)
	}
	return direct
}
