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
// Kubernetes renews it; where it lies is found here, each time that the credential is made. The webhook has moved it before,
// so that only the variable tells its place.
func newWorkloadIdentity(a account, options azcore.ClientOptions, private bool) (azcore.TokenCredential, error) {
	given := os.Getenv("AZURE_FEDERATED_TOKEN_FILE")
	if given == "" {
		return nil, errors.New("AZURE_FEDERATED_TOKEN_FILE is not set, so there is no token to exchange; mount a service account token and name its file there")
	}
	file, err := findMounted(given, os.Getenv("CONTAINER_SANDBOX_MOUNT_POINT"))
	if err != nil {
		return nil, fmt.Errorf("the federated token file of AZURE_FEDERATED_TOKEN_FILE is not there: %w; check the pod's service account token volume, whose audience is api://AzureADTokenExchange", err)
	}
	return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
		ClientOptions: options, DisableInstanceDiscovery: private, AdditionallyAllowedTenants: allowedTenants(),
		ClientID: a.clientID, TokenFilePath: file, EnableAzureProxy: true,
	})
}

// findMounted returns where a file of a pod's volume is. containerd 1.7 and later mount volumes of a HostProcess container at
// the path asked for; 1.6 mounts them below the sandbox mount point only
// (https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/#volume-mounts).
func findMounted(file, sandbox string) (string, error) {
	places := []string{file}
	if sandbox != "" {
		places = append(places, filepath.Join(sandbox, strings.TrimPrefix(file, filepath.VolumeName(file))))
	}
	for _, place := range places {
		if info, err := os.Stat(place); err == nil && !info.IsDir() { //nolint:gosec // the agent's own settings name the file
			return place, nil
		}
	}
	return "", fmt.Errorf("looked for %s", strings.Join(places, " and "))
}
