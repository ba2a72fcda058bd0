package auth

import (
	"errors"
	"fmt"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/vaultpane/vaultpane/internal/podfile"
)

// newWorkloadIdentity makes the credential of a workload identity. azidentity reads the token file again every ten minutes, since
// Kubernetes renews it. The path is resolved here, each time the credential is made, and comes from the variable only: versions of
// the webhook have mounted the file in different places.
func newWorkloadIdentity(a Account, options azcore.ClientOptions, private bool) (azcore.TokenCredential, error) {
	given := os.Getenv("AZURE_FEDERATED_TOKEN_FILE")
	if given == "" {
		return nil, errors.New("AZURE_FEDERATED_TOKEN_FILE is not set, so there is no token to exchange; mount a service account token and set the variable to the path of its file")
	}
	file, err := podfile.Find(given)
	if err != nil {
		return nil, fmt.Errorf("the federated token file of AZURE_FEDERATED_TOKEN_FILE does not exist: %w; check the pod's service account token volume, whose audience is api://AzureADTokenExchange", err)
	}
	return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: options, DisableInstanceDiscovery: private, AdditionallyAllowedTenants: allowedTenants(),
		ClientID: a.ClientID, TokenFilePath: file, EnableAzureProxy: true,
	})
}
