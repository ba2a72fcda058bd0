package keyvault

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Credential is the way in which the agent proves who it is.
type Credential string

// The credentials. All are configured by azidentity's standard AZURE_* and IDENTITY_* variables.
const (
	// CredentialDefault goes the way of azidentity's default chain (environment, workload identity, managed identity) and
	// decides by what is configured, not by trying one after another: a client secret or certificate in the environment,
	// else a federated token file, else the managed identity. So it cannot slide to another identity when one fails, and a
	// failure is told by the one that failed. The chain's developer tools are left out: a service that runs as SYSTEM runs
	// no program that it finds in the PATH. AZURE_TOKEN_CREDENTIALS is honoured as azidentity does: it names one of the
	// others, or "dev" for the tools.
	CredentialDefault Credential = "default"
	// CredentialWorkloadIdentity is Microsoft Entra Workload ID: AZURE_CLIENT_ID, AZURE_TENANT_ID and
	// AZURE_FEDERATED_TOKEN_FILE, whoever set them; the webhook is not needed. AKS identity bindings are used where
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

// Credentials are all of them, in the order in which a person reads about them.
var Credentials = []Credential{
	CredentialDefault, CredentialWorkloadIdentity, CredentialManagedIdentity, CredentialEnvironment, CredentialAzureCLI,
}

// CheckCredential returns an error for what is no credential's name; empty is the default.
func CheckCredential(name Credential) error {
	if name == "" || slices.Contains(Credentials, name) {
		return nil
	}
	var names []string
	for _, known := range Credentials {
		names = append(names, string(known))
	}
	return fmt.Errorf("%q is none of %s", name, strings.Join(names, ", "))
}

// account says which identity of which cloud is meant, and how it proves itself.
type account struct {
	credential Credential
	clientID   string // empty for the agent's own
	authority  string // URL
}

// newCredential makes the credential of an account. It reads files and settings, and asks nobody.
func newCredential(a account, transport policy.Transporter) (azcore.TokenCredential, error) {
	options := clientOptions(transport)
	options.Cloud = cloud.Configuration{ActiveDirectoryAuthorityHost: a.authority}
	private := privateAuthority(a.authority)
	switch kind := kindOf(a, os.Getenv); kind {
	case CredentialEnvironment:
		return newPrincipal(options, private)
	case CredentialWorkloadIdentity:
		return newWorkloadIdentity(a, options, private)
	case CredentialManagedIdentity:
		managed := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: options}
		if id := clientIDOf(a.clientID); id != "" {
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
		return nil, fmt.Errorf("the agent's credential %s has one identity only, so authentication.msiClientId %s cannot be used; leave it out, or start the agent with --credential workload-identity or managed-identity", a.credential, a.clientID)
	}
}

// clientOptions turn the SDK's own retries off: how long to wait is decided in one place, the reconciler, and a hidden
// sleep would hold up other certificates.
func clientOptions(transport policy.Transporter) azcore.ClientOptions {
	return azcore.ClientOptions{Transport: transport, Retry: policy.RetryOptions{MaxRetries: -1}}
}
