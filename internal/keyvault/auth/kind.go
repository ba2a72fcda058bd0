package auth

import (
	"fmt"
	"os"
	"strings"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	"github.com/vaultpane/vaultpane/internal/truncate"
)

// Kinds that cannot be chosen by name.
const (
	azidentityChain Credential = "" // which interprets AZURE_TOKEN_CREDENTIALS itself
	impossible      Credential = "impossible"
)

// kindOf decides which kind of credential an account has.
func kindOf(a Account, getenv func(string) string) Credential {
	chosen := a.Credential != "" && a.Credential != CredentialDefault
	switch {
	case chosen && a.ClientID != "" && a.Credential != CredentialWorkloadIdentity && a.Credential != CredentialManagedIdentity:
		return impossible
	case chosen:
		return a.Credential
	}
	named := strings.ToLower(getenv("AZURE_TOKEN_CREDENTIALS"))
	switch kind := tokenCredentials[named]; {
	case kind == CredentialWorkloadIdentity || kind == CredentialManagedIdentity:
		return kind // these can use the identity that a certificate names
	case a.ClientID == "" && named != "" && named != "prod":
		return kind
	case a.ClientID == "":
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

// ClientIDOf returns a client ID, or the agent's own for an empty one.
func ClientIDOf(clientID string) string {
	if clientID == "" {
		return os.Getenv("AZURE_CLIENT_ID")
	}
	return clientID
}

// NormalizeClientID returns a client ID in lower case, and an empty one for the agent's own, so that certificates that name it
// share the agent's credential.
func NormalizeClientID(clientID string) string {
	if strings.EqualFold(clientID, os.Getenv("AZURE_CLIENT_ID")) {
		return ""
	}
	return strings.ToLower(clientID)
}

// DisplayName returns the name of an identity in messages.
func DisplayName(clientID string) string {
	if clientID = ClientIDOf(clientID); clientID == "" {
		return "the agent's default identity"
	}
	return fmt.Sprintf("client id %s", truncate.Line(clientID, exchange.MaxID))
}

// allowedTenants returns the tenants, in addition to the home tenant, that tokens may belong to.
func allowedTenants() []string {
	if tenants := os.Getenv("AZURE_ADDITIONALLY_ALLOWED_TENANTS"); tenants != "" {
		return strings.Split(tenants, ";")
	}
	return nil
}
