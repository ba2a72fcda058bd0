package keyvault

import (
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// publicAuthorities are the token authorities whose instance metadata Microsoft publishes
// (https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud).
var publicAuthorities = []string{
	"login.microsoftonline.com", "login.microsoft.com", "login.windows.net", "sts.windows.net",
	"login.chinacloudapi.cn", "login.partner.microsoftonline.cn", "login.microsoftonline.us",
}

// newCredential returns the credential of one identity. An empty client id means the agent's own: azidentity's default
// chain, configured by its standard AZURE_* variables. Any other client id is a workload identity where the node has a
// federated token, else a managed identity.
func newCredential(clientID string, transport policy.Transporter) (azcore.TokenCredential, error) {
	options := clientOptions(transport)
	private := privateAuthority(os.Getenv("AZURE_AUTHORITY_HOST"))
	switch {
	case clientID == "":
		return azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{
			ClientOptions: options, DisableInstanceDiscovery: private,
		})
	case os.Getenv("AZURE_FEDERATED_TOKEN_FILE") != "":
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: options, DisableInstanceDiscovery: private, ClientID: clientID,
		})
	default:
		return azidentity.NewManagedIdentityCredential(&azidentity.ManagedIdentityCredentialOptions{
			ClientOptions: options, ID: azidentity.ClientID(clientID),
		})
	}
}

// clientOptions turn the SDK's own retries off: how long to wait is decided in one place, the reconciler, and a hidden
// sleep would hold up other certificates.
func clientOptions(transport policy.Transporter) azcore.ClientOptions {
	return azcore.ClientOptions{Transport: transport, Retry: policy.RetryOptions{MaxRetries: -1}}
}

// privateAuthority reports whether the token authority is one that Microsoft's instance discovery cannot know, such as
// Azure Stack's or a test server's. Whoever set AZURE_AUTHORITY_HOST to it has vouched for it.
func privateAuthority(authority string) bool {
	parsed, err := url.Parse(authority)
	if err != nil || parsed.Hostname() == "" {
		return false
	}
	for _, known := range publicAuthorities {
		if strings.EqualFold(parsed.Hostname(), known) {
			return false
		}
	}
	return true
}

// identityName names an identity for messages.
func identityName(clientID string) string {
	if clientID == "" {
		clientID = os.Getenv("AZURE_CLIENT_ID")
	}
	if clientID == "" {
		return "the agent's default identity"
	}
	return fmt.Sprintf("client id %s", clientID)
}
