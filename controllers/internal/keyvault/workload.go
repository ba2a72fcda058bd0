package keyvault

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// newWorkloadIdentity makes the credential of a workload identity. azidentity reads the file again every ten minutes, as
// Kubernetes renews it; where it lies is found here, each time that the credential is made.
func newWorkloadIdentity(a account, options azcore.ClientOptions, private bool) (azcore.TokenCredential, error) {
	file, err := findTokenFile(os.Getenv("AZURE_FEDERATED_TOKEN_FILE"), os.Getenv("CONTAINER_SANDBOX_MOUNT_POINT"))
	if err != nil {
		return nil, err
	}
	return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: options, DisableInstanceDiscovery: private, AdditionallyAllowedTenants: allowedTenants(),
		ClientID: a.clientID, TokenFilePath: file, EnableAzureProxy: true,
	})
}

// findTokenFile returns where the federated token is. containerd 1.7 and later mount volumes of a HostProcess container at
// the path asked for; 1.6 mounts them below the sandbox mount point only
// (https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/#volume-mounts). The webhook has moved
// the file before, so that only the variable tells its place.
func findTokenFile(file, sandbox string) (string, error) {
	if file == "" {
		return "", errors.New("AZURE_FEDERATED_TOKEN_FILE is not set, so there is no token to exchange; mount a service account token and name its file there")
	}
	places := []string{file}
	if sandbox != "" {
		places = append(places, filepath.Join(sandbox, strings.TrimPrefix(file, filepath.VolumeName(file))))
	}
	for _, place := range places {
		if info, err := os.Stat(place); err == nil && !info.IsDir() { //nolint:gosec // the agent's own settings name the file
			return place, nil
		}
	}
	return "", fmt.Errorf("the federated token file of AZURE_FEDERATED_TOKEN_FILE is not there (looked for %s); check the pod's service account token volume, whose audience is api://AzureADTokenExchange", strings.Join(places, " and "))
}
