package azure

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/vaultpane/vaultpane/cmd/internal/cli"
)

// zeros is a placeholder GUID.
var zeros = regexp.MustCompile(`^[0-]+$`)

// guid is the form of a client id. A tenant may also be named by its domain.
var guid = regexp.MustCompile(`^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$`)

// CheckIdentity returns an error for variables of azidentity that contradict the credential: the agent would sign in as another
// identity than they name, or not at all.
func CheckIdentity(credential string, lookup cli.Lookup) error {
	client, tenant := lookup.Or("AZURE_CLIENT_ID", ""), lookup.Or("AZURE_TENANT_ID", "")
	secret := lookup.Or("AZURE_CLIENT_SECRET", lookup.Or("AZURE_CLIENT_CERTIFICATE_PATH", "")) != ""
	token := lookup.Or("AZURE_FEDERATED_TOKEN_FILE", "") != ""
	_, inCluster := lookup("KUBERNETES_SERVICE_HOST")
	named := lookup.Or("AZURE_TOKEN_CREDENTIALS", "") // replaces the order of --credential default, which prod has too
	ownOrder := named == "" || strings.EqualFold(named, "prod")
	switch {
	case client != "" && (!guid.MatchString(client) || zeros.MatchString(client)):
		return fmt.Errorf("AZURE_CLIENT_ID is %q, must be a client id, a GUID without braces and spaces: 'az identity show --query clientId' prints it (in the Helm chart: azure.clientId)", client)
	case tenant != "" && (zeros.MatchString(tenant) || strings.ContainsAny(tenant, " \t\n{}/")):
		return fmt.Errorf("AZURE_TENANT_ID is %q, must be a tenant id, a GUID without braces and spaces: 'az account show --query tenantId' prints it (in the Helm chart: azure.tenantId)", tenant)
	case credential == "azure-cli" && inCluster:
		return errors.New("--credential is azure-cli, which uses the login of a person on the same machine, but this is a pod: use workload-identity, managed-identity or environment (in the Helm chart: azure.credential)")
	case credential == "managed-identity" && tenant != "" && token && inCluster: // which sets the variable again when it is removed
		return fmt.Errorf("AZURE_TENANT_ID is %q and AZURE_FEDERATED_TOKEN_FILE is set, as the Azure Workload Identity webhook does, but --credential managed-identity uses the tenant of the machine: remove the label azure.workload.identity/use from the pod, or use workload-identity (in the Helm chart: agent.podLabels and azure.credential)", tenant)
	case credential == "managed-identity" && tenant != "":
		return fmt.Errorf("AZURE_TENANT_ID is %q, but --credential managed-identity uses the tenant of the machine: remove the variable, or use workload-identity or environment (in the Helm chart: azure.tenantId and azure.credential)", tenant)
	case credential == "default" && ownOrder && tenant != "" && !secret && !token:
		return fmt.Errorf("AZURE_TENANT_ID is %q, and --credential default without a client secret or a token file is the machine's managed identity, which uses no tenant: use workload-identity with AZURE_FEDERATED_TOKEN_FILE, or environment with AZURE_CLIENT_SECRET, or remove the variable (in the Helm chart: azure.credential)", tenant)
	case credential == "environment":
		return missing(credential, map[string]bool{"AZURE_CLIENT_ID": client != "", "AZURE_TENANT_ID": tenant != "", "AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH": secret})
	case credential == "workload-identity":
		return missing(credential, map[string]bool{"AZURE_TENANT_ID": tenant != "", "AZURE_FEDERATED_TOKEN_FILE": token})
	}
	return nil
}

// missing names the first variable that a credential needs and that is not set.
func missing(credential string, have map[string]bool) error {
	for _, name := range []string{"AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"} {
		if there, needed := have[name]; needed && !there {
			return fmt.Errorf("%s is not set, and --credential %s needs it%s", name, credential, source(credential, name))
		}
	}
	return nil
}

// source says where a credential's variable comes from.
func source(credential, name string) string {
	const webhook = ": the Azure Workload Identity webhook sets it in pods with the label azure.workload.identity/use: \"true\"; without the webhook, "
	switch {
	case name == "AZURE_FEDERATED_TOKEN_FILE":
		return webhook + "mount a service account token and name its file (in the Helm chart: azure.workloadIdentity.webhook, which is false where the chart mounts the token)"
	case credential == "workload-identity":
		return webhook + "set it (in the Helm chart: azure.workloadIdentity.webhook and azure.tenantId)"
	}
	return " (in the Helm chart: azure.clientId, azure.tenantId and azure.existingSecret)"
}

// checkAllowedHost rejects an entry that is not a host, and a top-level domain, all of whose hosts could receive tokens.
func checkAllowedHost(host string) error {
	name, port, _ := strings.Cut(host, ":")
	bare := strings.TrimPrefix(name, ".")
	switch {
	case host == "" || strings.ContainsAny(host, "/@?#*; \t"):
		return fmt.Errorf("--allowed-vault-hosts has %q, must be a host, host:port or .suffix without https:// and path, such as .vault.my.cloud", host)
	case !strings.Contains(bare, ".") && strings.HasPrefix(name, "."):
		return fmt.Errorf("--allowed-vault-hosts has %q, which allows every host of that top-level domain to receive tokens; write the whole domain, such as .vault.my.cloud", host)
	case !strings.Contains(bare, ".") && port == "" && !strings.EqualFold(bare, "localhost") && !strings.HasPrefix(name, "["):
		return fmt.Errorf("--allowed-vault-hosts has %q, which is not a host name that a node can resolve; write the whole name, such as vault.my.cloud", host)
	}
	return nil
}
