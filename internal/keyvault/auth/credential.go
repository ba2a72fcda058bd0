package auth

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// Credential is how the agent authenticates.
type Credential string

// The credentials. All are configured by azidentity's standard AZURE_* and IDENTITY_* variables.
const (
	// CredentialDefault has the order of azidentity's default chain (environment, workload identity, managed identity), and decides
	// by what is configured, not by trying one after another: a client secret or certificate in the environment, else a federated
	// token file, else the managed identity. So the agent never falls back to another identity when one fails, and the message is
	// that of the credential that failed. The chain's developer tools are left out: a service that runs as SYSTEM runs no program
	// that it finds in the PATH. AZURE_TOKEN_CREDENTIALS works as in azidentity: it names one of the others, or "dev" for the
	// tools.
	CredentialDefault Credential = "default"
	// CredentialWorkloadIdentity is Microsoft Entra Workload ID: AZURE_CLIENT_ID, AZURE_TENANT_ID and
	// AZURE_FEDERATED_TOKEN_FILE, set by its webhook or by other means. AKS identity bindings are used if
	// AZURE_KUBERNETES_TOKEN_PROXY is set (https://learn.microsoft.com/azure/aks/identity-bindings-concepts).
	CredentialWorkloadIdentity Credential = "workload-identity"
	// CredentialManagedIdentity is the machine's: of the instance metadata service, of Azure Arc, or of an App Service style
	// endpoint (IDENTITY_ENDPOINT). AZURE_CLIENT_ID chooses one of several user-assigned ones.
	CredentialManagedIdentity Credential = "managed-identity"
	// CredentialEnvironment is a service principal: AZURE_CLIENT_ID, AZURE_TENANT_ID, and AZURE_CLIENT_SECRET or
	// AZURE_CLIENT_CERTIFICATE_PATH (with AZURE_CLIENT_CERTIFICATE_PASSWORD, AZURE_CLIENT_SEND_CERTIFICATE_CHAIN).
	CredentialEnvironment Credential = "environment"
	// CredentialAzureCLI is the account that az is logged in with. For development.
	CredentialAzureCLI Credential = "azure-cli"
)

// Credentials are all of them, in the order of the documentation.
var Credentials = []Credential{
	CredentialDefault, CredentialWorkloadIdentity, CredentialManagedIdentity, CredentialEnvironment, CredentialAzureCLI,
}

// CheckCredential returns an error unless name is a credential's; empty is the default.
func CheckCredential(name Credential) error {
	if name == "" || slices.Contains(Credentials, name) {
		return nil
	}
	var names []string
	for _, known := range Credentials {
		names = append(names, string(known))
	}
	return fmt.Errorf("%q is not one of %s", name, strings.Join(names, ", "))
}

// newCredential makes the credential of an account. It reads files and settings, and sends no request.
func newCredential(a Account, transport policy.Transporter) (azcore.TokenCredential, error) {
	options := exchange.ClientOptions(transport)
	options.Cloud = cloud.Configuration{ActiveDirectoryAuthorityHost: a.Authority}
	private := isPrivateAuthority(a.Authority)
	switch kind := kindOf(a, os.Getenv); kind {
	case CredentialEnvironment:
		return newPrincipal(options, private)
	case CredentialWorkloadIdentity:
		return newWorkloadIdentity(a, options, private)
	case CredentialManagedIdentity:
		managed := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
		if id := ClientIDOf(a.ClientID); id != "" {
			managed.ID = azidentity.ClientID(id)
		}
		return azidentity.NewManagedIdentityCredential(managed)
	case CredentialAzureCLI:
		return azidentity.NewAzureCLICredential(&azidentity.AzureCLICredentialOptions{AdditionallyAllowedTenants: allowedTenants()})
	case azidentityChain:
		return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
			ClientOptions: options, DisableInstanceDiscovery: private,
		})
	default:
		return nil, fmt.Errorf("the agent's credential %s has one identity only, so authentication.msiClientId %s cannot be used; remove it, or start the agent with --credential workload-identity or managed-identity", a.Credential, a.ClientID)
	}
}
