package keyvault

import (
	"fmt"
	"os"
)

// Env returns the variables with which azidentity's environment credential finds the server, with a client secret.
func (s *Server) Env() []string {
	return append(s.authorityEnv(), "AZURE_CLIENT_SECRET="+s.tenant.clientSecret)
}

// EnvFederated writes a federated token file and returns the variables of a workload identity that uses it. The token is
// good for every client id, as when all of them trust the same service account. It panics when it cannot write the file.
func (s *Server) EnvFederated(file string) []string {
	if err := os.WriteFile(file, []byte(s.tenant.newAssertion()), 0o600); err != nil {
		panic(fmt.Sprintf("keyvault: writing the federated token: %v", err))
	}
	return append(s.authorityEnv(), "AZURE_FEDERATED_TOKEN_FILE="+file)
}

// EnvManagedIdentity returns the variables of a managed identity as App Service announces it
// (https://learn.microsoft.com/azure/app-service/overview-managed-identity#rest-endpoint-reference). It serves its
// system-assigned identity and any client id.
//
// MSAL caches a managed identity's tokens by its client id for the whole process, so that a second server in one process
// refuses the first one's token, unless it is asked with another client id.
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
