package keyvault

import (
	"fmt"
	"os"
)

// Env returns the variables of azidentity's environment credential for the server, with a client secret.
func (s *Server) Env() []string {
	return append(s.authorityEnv(), "AZURE_CLIENT_SECRET="+s.tenant.clientSecret)
}

// EnvFederated writes a federated token file and returns the variables of a workload identity that uses it. The token is
// valid for every client ID, as if all of them trusted the same service account. It panics if it cannot write the file.
func (s *Server) EnvFederated(file string) []string {
	if err := os.WriteFile(file, []byte(s.tenant.newAssertion()), 0o600); err != nil {
		panic(fmt.Sprintf("keyvault: writing the federated token: %v", err))
	}
	return append(s.authorityEnv(), "AZURE_FEDERATED_TOKEN_FILE="+file)
}

// EnvManagedIdentity returns the variables of a managed identity in App Service
// (https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference). It serves the
// system-assigned identity and any client ID.
//
// MSAL caches a managed identity's tokens by client ID for the whole process. A second server in one process therefore refuses the
// token of the first, unless another client ID is used.
func (s *Server) EnvManagedIdentity() []string {
	return []string{
		"IDENTITY_ENDPOINT=" + s.tenant.identityURL() + "/msi/token",
		"IDENTITY_HEADER=" + s.tenant.identityHeader,
	}
}

func (s *Server) authorityEnv() []string {
	return []string{
		"AZURE_AUTHORITY_HOST=" + s.tenant.url() + "/",
		"AZURE_TENANT_ID=" + s.tenant.id,
		"AZURE_CLIENT_ID=" + s.tenant.clientID,
	}
}
