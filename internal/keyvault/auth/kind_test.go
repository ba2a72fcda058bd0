package auth

import (
	"strings"
	"testing"
)

func TestKindOf(t *testing.T) {
	tests := []struct {
		name       string
		credential Credential
		clientID   string
		variables  string
		want       Credential
	}{
		{"nothing is configured", "", "", "", CredentialManagedIdentity},
		{"a token file", "", "", "AZURE_FEDERATED_TOKEN_FILE", CredentialWorkloadIdentity},
		{"a client secret and a token file", "", "", "AZURE_CLIENT_SECRET AZURE_FEDERATED_TOKEN_FILE", CredentialEnvironment},
		{"a client certificate", CredentialDefault, "", "AZURE_CLIENT_CERTIFICATE_PATH", CredentialEnvironment},
		{"a client id of its own is no service principal's", "", "x", "AZURE_CLIENT_SECRET", CredentialManagedIdentity},
		{"azidentity's variable names one", "", "", "AZURE_CLIENT_SECRET AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential", CredentialManagedIdentity},
		{"azidentity's variable names one, for a certificate's own identity too", "", "x", "AZURE_FEDERATED_TOKEN_FILE AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential", CredentialManagedIdentity},
		{"azidentity's variable names one without other identities", "", "x", "AZURE_FEDERATED_TOKEN_FILE AZURE_TOKEN_CREDENTIALS=EnvironmentCredential", CredentialWorkloadIdentity},
		{"azidentity's variable allows the tools", "", "", "AZURE_TOKEN_CREDENTIALS=dev", azidentityChain},
		{"azidentity's variable is wrong, which azidentity reports", "", "", "AZURE_TOKEN_CREDENTIALS=AzureCredential", azidentityChain},
		{"azidentity's variable names the default", "", "", "AZURE_TOKEN_CREDENTIALS=prod AZURE_FEDERATED_TOKEN_FILE", CredentialWorkloadIdentity},
		{"the flag wins", CredentialManagedIdentity, "", "AZURE_CLIENT_SECRET AZURE_FEDERATED_TOKEN_FILE", CredentialManagedIdentity},
		{"the flag wins over azidentity's variable", CredentialEnvironment, "", "AZURE_TOKEN_CREDENTIALS=dev", CredentialEnvironment},
		{"the tools have one account", CredentialAzureCLI, "x", "", impossible},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			set := map[string]string{}
			for _, variable := range strings.Fields(test.variables) {
				name, value, _ := strings.Cut(variable+"=x", "=")
				set[name] = strings.TrimSuffix(value, "=x")
			}
			getenv := func(name string) string { return set[name] }
			if got := kindOf(Account{Credential: test.credential, ClientID: test.clientID}, getenv); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
