package convert

import (
	"encoding/json"
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/controlplane"
)

// TestTheAPIServerAcceptsEveryObject creates what becomes of every case, and of many machines whose settings differ.
func TestTheAPIServerAcceptsEveryObject(t *testing.T) {
	plane := controlplane.ForTest(t)
	if err := plane.InstallCRDs(t.Context(), "../../config/crd"); err != nil {
		t.Fatal(err)
	}
	client, err := dynamic.NewForConfig(plane.Config())
	if err != nil {
		t.Fatal(err)
	}
	objects := client.Resource(v1alpha1.GroupVersion.WithResource("observedcertificates"))
	all := append(cases(t), testCase{name: "many accounts", inputs: []Input{manyMachines(t, 100)}})
	created := 0
	for i, test := range all {
		test.options.Prefix = fmt.Sprintf("case-%d-", i) // each its own
		result, _ := converted(t, test.inputs, test.options, FormatYAML)
		for _, certificate := range result.Certificates {
			manifest, err := Write([]Certificate{certificate}, FormatYAML)
			if err != nil {
				t.Fatal(err)
			}
			var object unstructured.Unstructured
			if err := yaml.Unmarshal(manifest, &object.Object); err != nil {
				t.Fatal(err)
			}
			if _, err := objects.Create(t.Context(), &object, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}); err != nil {
				t.Errorf("%s: %v\n%s", test.name, err, manifest)
			}
			created++
		}
	}
	if created < 80 {
		t.Errorf("only %d objects were created", created)
	}
}

// manyMachines is a listing of machines with one certificate and an account each.
func manyMachines(t *testing.T, count int) Input {
	t.Helper()
	var list []any
	for i := range count {
		list = append(list, map[string]any{
			"id":        fmt.Sprintf("/subscriptions/0/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm%d/extensions/kv", i),
			"publisher": "Microsoft.Azure.KeyVault", "typePropertiesType": "KeyVaultForWindows", "typeHandlerVersion": "3.0",
			"settings": map[string]any{"secretsManagementSettings": map[string]any{"observedCertificates": []any{
				map[string]any{"url": "https://contoso-kv.vault.azure.net/secrets/shared", "accounts": []string{fmt.Sprintf(`CORP\gmsa%d$`, i)}},
			}}},
		})
	}
	content, err := json.Marshal(list)
	if err != nil {
		t.Fatal(err)
	}
	return Input{Name: "list.json", Content: content}
}
