package azure

import (
	"maps"
	"strings"
	"testing"
)

const clientID, tenant = "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "72f988bf-86f1-41af-91ab-2d7cd011db47"

func TestIdentitiesThatDoNotGoWithTheCredential(t *testing.T) {
	both := map[string]string{"AZURE_CLIENT_ID": clientID, "AZURE_TENANT_ID": tenant}
	with := func(more map[string]string) map[string]string {
		all := maps.Clone(both)
		maps.Copy(all, more)
		return all
	}
	tests := []struct {
		name, credential string
		environment      map[string]string
		says             string
	}{
		{"nothing", "default", nil, ""},
		{"one of several managed identities", "default", map[string]string{"AZURE_CLIENT_ID": clientID}, ""},
		{"client and tenant without a credential", "default", both, "and --credential default without a client secret or a token file is the machine's managed identity"},
		{"with a client secret", "default", with(map[string]string{"AZURE_CLIENT_SECRET": "x"}), ""},
		{"with a token", "default", with(map[string]string{"AZURE_FEDERATED_TOKEN_FILE": "/token"}), ""},
		{"a managed identity with a tenant", "managed-identity", both, "uses the tenant of the machine"},
		{"a managed identity with a tenant of the webhook", "managed-identity", with(map[string]string{"AZURE_FEDERATED_TOKEN_FILE": "/token", "KUBERNETES_SERVICE_HOST": "10.0.0.1"}), "remove the label azure.workload.identity/use from the pod"},
		{"a managed identity with a tenant and a token, and no pod", "managed-identity", with(map[string]string{"AZURE_FEDERATED_TOKEN_FILE": "/token"}), "remove the variable"},
		{"a credential that azidentity's variable names", "default", with(map[string]string{"AZURE_TOKEN_CREDENTIALS": "AzureCLICredential"}), ""},
		{"azidentity's variable that names the default's order", "default", with(map[string]string{"AZURE_TOKEN_CREDENTIALS": "Prod"}), "is the machine's managed identity"},
		{"a managed identity", "managed-identity", map[string]string{"AZURE_CLIENT_ID": clientID}, ""},
		{"a person's login in a pod", "azure-cli", map[string]string{"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, "this is a pod"},
		{"a person's login elsewhere", "azure-cli", nil, ""},
		{"a service principal without its secret", "environment", both, "AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH is not set, and --credential environment needs it (in the Helm chart: azure.clientId, azure.tenantId and azure.existingSecret)"},
		{"a service principal without its tenant", "environment", map[string]string{"AZURE_CLIENT_ID": clientID, "AZURE_CLIENT_SECRET": "x"}, "AZURE_TENANT_ID is not set"},
		{"a service principal", "environment", with(map[string]string{"AZURE_CLIENT_CERTIFICATE_PATH": "/a.pem"}), ""},
		{"workload identity without its token", "workload-identity", both, "AZURE_FEDERATED_TOKEN_FILE is not set, and --credential workload-identity needs it: the Azure Workload Identity webhook sets it"},
		{"workload identity that the webhook should set", "workload-identity", nil, "(in the Helm chart: azure.workloadIdentity.webhook and azure.tenantId)"},
		{"workload identity without its token in the chart", "workload-identity", both, "(in the Helm chart: azure.workloadIdentity.webhook, which"},
		{"workload identity whose certificates name their clients", "workload-identity", map[string]string{"AZURE_TENANT_ID": tenant, "AZURE_FEDERATED_TOKEN_FILE": "/token"}, ""},
		{"a client id in braces", "default", map[string]string{"AZURE_CLIENT_ID": "{" + clientID + "}"}, "must be a client id, a GUID without braces and spaces"},
		{"a client id of zeros", "managed-identity", map[string]string{"AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000000"}, "(in the Helm chart: azure.clientId)"},
		{"a tenant of zeros", "default", map[string]string{"AZURE_TENANT_ID": "00000000-0000-0000-0000-000000000000"}, "must be a tenant id"},
		{"a tenant's domain", "environment", map[string]string{"AZURE_CLIENT_ID": clientID, "AZURE_TENANT_ID": "contoso.onmicrosoft.com", "AZURE_CLIENT_SECRET": "x"}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := CheckIdentity(test.credential, func(name string) (string, bool) {
				value, set := test.environment[name]
				return value, set
			})
			if (err == nil) != (test.says == "") || err != nil && !strings.Contains(err.Error(), test.says) {
				t.Errorf("got error %v, want %q in it", err, test.says)
			}
		})
	}
}
