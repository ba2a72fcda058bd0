package removal

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/convert"
	"github.com/vaultpane/vaultpane/internal/plugin/terminal"
)

// list has two node pools with one certificate, and the second has another.
const list = `[
  {"id": "/subscriptions/0/resourceGroups/mc/providers/Microsoft.Compute/virtualMachineScaleSets/akspay", "name": "akspay", "type": "Microsoft.Compute/virtualMachineScaleSets", "tags": {"aks-managed-poolName": "pay"},
   "virtualMachineProfile": {"extensionProfile": {"extensions": [{"name": "kv", "publisher": "Microsoft.Azure.KeyVault", "typePropertiesType": "KeyVaultForWindows", "typeHandlerVersion": "3.0",
     "settings": {"secretsManagementSettings": {"observedCertificates": [{"url": "https://a.vault.azure.net/secrets/pay", "accounts": ["Network Service"]}]}}}]}}},
  {"id": "/subscriptions/0/resourceGroups/mc/providers/Microsoft.Compute/virtualMachineScaleSets/vmssweb", "name": "vmssweb", "type": "Microsoft.Compute/virtualMachineScaleSets",
   "virtualMachineProfile": {"extensionProfile": {"extensions": [{"name": "kv", "publisher": "Microsoft.Azure.KeyVault", "typePropertiesType": "KeyVaultForWindows", "typeHandlerVersion": "3.0",
     "settings": {"secretsManagementSettings": {"observedCertificates": ["https://a.vault.azure.net/secrets/web/0123456789abcdef0123456789abcdef"]}}}]}}}
]`

func converted(t *testing.T, text string) convert.Result {
	t.Helper()
	converter, err := convert.New()
	if err != nil {
		t.Fatal(err)
	}
	return converter.Convert([]convert.Input{{Name: "list.json", Content: []byte(text)}}, convert.Options{})
}

func certificate(name, url string, ready metav1.ConditionStatus, installed, matched int32) v1alpha1.ObservedCertificate {
	return v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: name, Generation: 2},
		Spec:       v1alpha1.ObservedCertificateSpec{URL: url, CertificateStoreName: "my", CertificateStoreLocation: v1alpha1.LocalMachinePreview, Accounts: []string{"network service"}},
		Status: v1alpha1.ObservedCertificateStatus{
			ObservedGeneration: 2, Thumbprint: "AA11",
			Nodes:      &v1alpha1.NodeCounts{Matched: matched, Installed: installed, Summary: "48/50"},
			Conditions: []metav1.Condition{{Type: v1alpha1.ConditionReady, Status: ready, Reason: "AccessDenied", Message: "2 of 50 nodes failed"}},
			Failures:   []v1alpha1.NodeFailure{{Node: "win-2", Message: "the identity has no role"}},
		},
	}
}

func state(node, thumbprint string) *v1alpha1.NodeCertificateState {
	return &v1alpha1.NodeCertificateState{ObjectMeta: metav1.ObjectMeta{Name: node}, Certificates: []v1alpha1.CertificateEntry{{Name: "pay", Thumbprint: thumbprint}}}
}

func TestDecide(t *testing.T) {
	pay := certificate("pay", "https://A.vault.azure.net:443/secrets/pay", metav1.ConditionTrue, 50, 50)
	web := certificate("web", "https://a.vault.azure.net/secrets/web", metav1.ConditionTrue, 3, 3)
	pools := map[string][]string{"pay": {"n1", "n2"}}
	states := map[string]*v1alpha1.NodeCertificateState{"n1": state("n1", "AA11"), "n2": state("n2", "AA11")}
	for name, test := range map[string]struct {
		cluster Cluster
		want    []string
	}{
		"all is in place; a pinned URL may follow the newest now": {
			Cluster{Certificates: []v1alpha1.ObservedCertificate{pay, web}, Pools: pools, States: states},
			[]string{"akspay: the extension may be removed", "✓ a.vault.azure.net/secrets/pay (MY): pay is on all 2 nodes of the pool pay, thumbprint AA11", "vmssweb: the extension may be removed", "web is on all 3 nodes", "A machine that is no node of this cluster needs the extension as long as programs run on it.", "from 2 of 2 machines"},
		},
		"an empty cluster": {Cluster{}, []string{"akspay: keep the extension", "✗", "apply what 'kubectl vaultpane convert' prints", "from 0 of 2 machines"}},
		"some nodes fail": {
			Cluster{Certificates: []v1alpha1.ObservedCertificate{certificate("pay", pay.Spec.URL, metav1.ConditionFalse, 48, 50), web}, Pools: pools, States: states},
			[]string{"pay is on 48/50 nodes: AccessDenied: 2 of 50 nodes failed (win-2: the identity has no role)", "from 1 of 2 machines"},
		},
		"no node is selected":   {Cluster{Certificates: []v1alpha1.ObservedCertificate{certificate("pay", pay.Spec.URL, metav1.ConditionUnknown, 0, 0)}}, []string{"pay selects no node"}},
		"no status yet":         {Cluster{Certificates: []v1alpha1.ObservedCertificate{{ObjectMeta: pay.ObjectMeta, Spec: pay.Spec}}}, []string{"pay has no current status yet"}},
		"no node of the pool":   {Cluster{Certificates: []v1alpha1.ObservedCertificate{pay, web}}, []string{"no node of the pool pay is in this cluster"}},
		"another thumbprint":    {Cluster{Certificates: []v1alpha1.ObservedCertificate{pay, web}, Pools: pools, States: map[string]*v1alpha1.NodeCertificateState{"n1": state("n1", "AA11"), "n2": state("n2", "OLD")}}, []string{"pay is not on 1 of the 2 nodes of the pool pay: n2"}},
		"an account is missing": {Cluster{Certificates: []v1alpha1.ObservedCertificate{{ObjectMeta: pay.ObjectMeta, Spec: v1alpha1.ObservedCertificateSpec{URL: pay.Spec.URL, CertificateStoreName: "MY", CertificateStoreLocation: "LocalMachine"}}}}, []string{"pay does not let Network Service read the key"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := strings.Join(Lines(Decide(converted(t, list), test.cluster), terminal.Style{UTF8: true}), "\n")
			for _, want := range test.want {
				if !strings.Contains(got, want) {
					t.Errorf("lacks %q:\n%s", want, got)
				}
			}
		})
	}
}

// TestWhatIsNotConvertedKeepsTheExtension: a machine with something that needs a hand may have more than was converted.
func TestWhatIsNotConvertedKeepsTheExtension(t *testing.T) {
	text := strings.Replace(list, `"accounts": ["Network Service"]}`, `"accounts": ["Network Service"]}, "https://a.vault.azure.net/keys/other"`, 1)
	pay := certificate("pay", "https://a.vault.azure.net/secrets/pay", metav1.ConditionTrue, 50, 50)
	cluster := Cluster{Certificates: []v1alpha1.ObservedCertificate{pay}, Pools: map[string][]string{"pay": {"n1"}}, States: map[string]*v1alpha1.NodeCertificateState{"n1": state("n1", "AA11")}}
	if got := strings.Join(Lines(Decide(converted(t, text), cluster), terminal.Style{}), "\n"); !strings.Contains(got, "akspay: keep the extension: something of its settings needs a hand") {
		t.Error(got)
	}
}
