package auth

import (
	"errors"
	"fmt"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/vaultpane/vaultpane/internal/podfile"
)

// newPrincipal makes the credential of a service principal with a secret or a certificate. azidentity's own reads the same
// variables, but does not look for the certificate's file below the sandbox mount point.
func newPrincipal(options azcore.ClientOptions, private bool) (azcore.TokenCredential, error) {
	if os.Getenv("AZURE_CLIENT_SECRET") != "" || os.Getenv("AZURE_CLIENT_CERTIFICATE_PATH") == "" {
		return azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{
			ClientOptions: options, DisableInstanceDiscovery: private,
		})
	}
	tenant, client := os.Getenv("AZURE_TENANT_ID"), os.Getenv("AZURE_CLIENT_ID")
	if tenant == "" || client == "" {
		return nil, errors.New("AZURE_CLIENT_CERTIFICATE_PATH is set without AZURE_TENANT_ID or AZURE_CLIENT_ID; set both")
	}
	file, err := podfile.Find(os.Getenv("AZURE_CLIENT_CERTIFICATE_PATH"))
	if err != nil {
		return nil, fmt.Errorf("the client certificate of AZURE_CLIENT_CERTIFICATE_PATH does not exist: %w", err)
	}
	content, err := os.ReadFile(file) //nolint:gosec // the process's own settings name the file
	if err != nil {
		return nil, fmt.Errorf("reading the client certificate of AZURE_CLIENT_CERTIFICATE_PATH: %w", err)
	}
	defer clear(content)
	certificates, key, err := azidentity.ParseCertificates(content, []byte(os.Getenv("AZURE_CLIENT_CERTIFICATE_PASSWORD")))
	if err != nil {
		return nil, fmt.Errorf("reading the client certificate of AZURE_CLIENT_CERTIFICATE_PATH: %w", err)
	}
	send := os.Getenv("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN")
	return azidentity.NewClientCertificateCredential(tenant, client, certificates, key, &azidentity.ClientCertificateCredentialOptions{
		ClientOptions: options, DisableInstanceDiscovery: private, AdditionallyAllowedTenants: allowedTenants(),
		SendCertificateChain: send == "1" || send == "true",
	})
}
