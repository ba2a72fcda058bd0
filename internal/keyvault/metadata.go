package keyvault

import (
	"errors"
	"fmt"
	"net/http"
	"time"
)

// metadataHost is the Azure Instance Metadata Service
// (https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service).
const metadataHost = "169.254.169.254"

// The metadata service is on the machine's own network: where nobody answers a connection at once, there is none. A token
// may take it some seconds.
const (
	metadataDialTimeout = 2 * time.Second
	metadataTimeout     = 10 * time.Second
)

// whatToSet says how the agent gets another identity than the machine's.
const whatToSet = "choose another identity with --credential: workload-identity with AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE, or environment with AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET; on an Azure machine assign a managed identity and let the node reach that service"

// whyMetadata says why the metadata service was asked.
func whyMetadata(a account) string {
	if a.credential == "" || a.credential == CredentialDefault {
		return "no client secret, client certificate or federated token file is configured"
	}
	return "the credential is the machine's managed identity"
}

// explainMetadata returns what a failure of the metadata service means. It says 400 for an identity that it does not have,
// and for none named where there are several or none of its own
// (https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token#error-handling).
func explainMetadata(a account, trail *trail, err error) error {
	host, status := trail.last()
	if host != metadataHost {
		return err
	}
	var wire *wireError
	var refusal *refusalError
	clientID := clientIDOf(a.clientID)
	explained := func(format string, arguments ...any) error {
		return &explainedError{text: fmt.Sprintf(format, arguments...), cause: err}
	}
	switch {
	case errors.As(err, &refusal) && entraErrorOf(refusal.body).Code == "invalid_resource":
		return err // the identity is there, and the vault is not of its cloud
	case errors.As(err, &wire):
		return explained("%s, and the instance metadata service (%s), which gives out managed identities, does not answer: %s; "+whatToSet, whyMetadata(a), host, oneLine(rootCause(wire.cause)))
	case status == http.StatusBadRequest && clientID == "":
		return explained("the machine has no identity of its own, or several and none is named; name one by its client id: in authentication.msiClientId for one certificate, in AZURE_CLIENT_ID for the agent")
	case status == http.StatusBadRequest:
		return explained("the managed identity with client id %s is not assigned to this machine; assign it (to the node pool's scale set on AKS), or correct authentication.msiClientId or AZURE_CLIENT_ID", clientID)
	}
	return err
}
