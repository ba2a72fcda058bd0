package auth

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
)

// otherIdentity describes how the agent gets another identity than the machine's.
const otherIdentity = "choose another identity with --credential: workload-identity with AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE, or environment with AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET; on an Azure machine assign a managed identity and allow the node to reach that service"

// whyMetadata describes why a token was requested from the metadata service.
func whyMetadata(a Account) string {
	if a.Credential == "" || a.Credential == CredentialDefault {
		return "no client secret, client certificate or federated token file is configured"
	}
	return "the credential is the machine's managed identity"
}

// explainMetadata returns the meaning of a failure of the metadata service. The service answers 400 for an identity that the
// machine does not have, and for none named if the machine has several identities, or none of its own
// (https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#error-handling).
func explainMetadata(a Account, transcript *exchange.Transcript, err error) error {
	host, status := transcript.Last()
	if host != exchange.MetadataHost {
		return err
	}
	var broken *exchange.BrokenError
	var refusal *exchange.RefusalError
	clientID := ClientIDOf(a.ClientID)
	explained := func(format string, arguments ...any) error {
		return &exchange.ExplainedError{Text: fmt.Sprintf(format, arguments...), Cause: err}
	}
	switch {
	case errors.As(err, &refusal) && ParseTokenError(refusal.Body).Code == "invalid_resource":
		return err // the identity exists, and the vault belongs to another cloud
	case errors.As(err, &broken):
		return explained("%s, and the instance metadata service (%s), which issues tokens for managed identities, does not respond: %s; "+otherIdentity, whyMetadata(a), host, exchange.OneLine(exchange.RootCause(broken.Cause)))
	case status == http.StatusBadRequest && clientID == "":
		return explained("the machine has no identity of its own, or has several and none is named; name one by its client id: in authentication.msiClientId for one certificate, in AZURE_CLIENT_ID for the agent")
	case status == http.StatusBadRequest:
		return explained("the managed identity with client id %s is not assigned to this machine; assign it (to the node pool's scale set on AKS), or correct authentication.msiClientId or AZURE_CLIENT_ID", clientID)
	}
	return err
}
