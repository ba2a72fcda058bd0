package keyvault

import (
	"errors"
	"fmt"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/vaultpane/vaultpane/internal/podfile"
)

// newWorkloadIdentity makes the credential of a workload identity. azidentity reads the file again every ten minutes, as
// Kubernetes renews it; where it lies is found here, each time that the credential is made. The webhook has moved it before,
// so that only the variable tells its place.
func newWorkloadIdentity(a account, options azcore.ClientOptions, private bool) (azcore.TokenCredential, error) {
	given := os.Getenv("AZURE_FEDERATED_TOKEN_FILE")
	if given == "" {
		return nil, errors.New("AZURE_FEDERATED_TOKEN_FILE is not set, so there is no token to exchange; mount a service account token and name its file there")
	}
	file, err := podfile.Find(given)
	if err != nil {
		return nil, fmt.Errorf("the federated token file of AZURE_FEDERATED_TOKEN_FILE is not there: %w; check the pod's service account token volume, whose audience is api://AzureADTokenExchange", err)
	}
	return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: options, DisableInstanceDiscovery: private, AdditionallyAllowedTenants: allowedTenants(),
		ClientID: a.clientID, TokenFilePath: file, EnableAzureProxy: true,
	})
}
