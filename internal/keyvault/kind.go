package keyvault

import (
	"fmt"
	"os"
	"strings"

	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Beside the credentials that a person can choose.
const (
	azidentityChain Credential = "" // which knows what AZURE_TOKEN_CREDENTIALS can be
	impossible      Credential = "impossible"
)

// kindOf decides which kind of credential an account has.
func kindOf(a account, getenv func(string) string) Credential {
	chosen := a.credential != "" && a.credential != CredentialDefault
	switch {
	case chosen && a.clientID != "" && a.credential != CredentialWorkloadIdentity && a.credential != CredentialManagedIdentity:
		return impossible
	case chosen:
		return a.credential
	}
	named := strings.ToLower(getenv("AZURE_TOKEN_CREDENTIALS"))
	switch kind := tokenCredentials[named]; {
	case kind == CredentialWorkloadIdentity || kind == CredentialManagedIdentity:
		return kind // which have the identity that a certificate names
	case a.clientID == "" && named != "" && named != "prod":
		return kind
	case a.clientID == "":
		if getenv("AZURE_CLIENT_SECRET") != "" || getenv("AZURE_CLIENT_CERTIFICATE_PATH") != "" {
			return CredentialEnvironment
		}
	}
	if getenv("AZURE_FEDERATED_TOKEN_FILE") != "" {
		return CredentialWorkloadIdentity
	}
	return CredentialManagedIdentity
}

// tokenCredentials are the values of AZURE_TOKEN_CREDENTIALS that name one of ours; "prod" is the default's own order
// (https://pkg.go.dev/github.com/Azure/azure-sdk-for-go/sdk/azidentity#DefaultAzureCredential).
var tokenCredentials = map[string]Credential{
	"environmentcredential":      CredentialEnvironment,
	"workloadidentitycredential": CredentialWorkloadIdentity,
	"managedidentitycredential":  CredentialManagedIdentity,
	"azureclicredential":         CredentialAzureCLI,
}

// clientIDOf returns a client id, or the agent's own for an empty one.
func clientIDOf(clientID string) string {
	if clientID == "" {
		return os.Getenv("AZURE_CLIENT_ID")
	}
	return clientID
}

// ownClientID returns the client id in lower case, and nothing for the agent's own: whoever names it shares its credential.
func ownClientID(clientID string) string {
	if strings.EqualFold(clientID, os.Getenv("AZURE_CLIENT_ID")) {
		return ""
	}
	return strings.ToLower(clientID)
}

// allowedTenants returns the tenants beside the home tenant that tokens may be of.
func allowedTenants() []string {
	if tenants := os.Getenv("AZURE_ADDITIONALLY_ALLOWED_TENANTS"); tenants != "" {
		return strings.Split(tenants, ";")
	}
	return nil
}

// identityName names an identity for messages.
func identityName(clientID string) string {
	if clientID = clientIDOf(clientID); clientID == "" {
		return "the agent's default identity"
	}
	return fmt.Sprintf("client id %s", truncate.Line(clientID, maxID))
}
