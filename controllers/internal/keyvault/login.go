package keyvault

import (
	"encoding/json"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func authenticationFault(secret SecretURL, clientID, why string) *Fault {
	return &Fault{
		Reason:  v1alpha1.ReasonAuthenticationFailed,
		Message: fmt.Sprintf("authenticating to %s as %s: %s", secret.Authority(), identityName(clientID), why),
	}
}

// tokenProblem returns what the token service said. Its error_description begins with the AADSTS code and the reason
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes); it holds no secret.
func tokenProblem(failed *azidentity.AuthenticationFailedError) string {
	if failed.RawResponse == nil {
		return oneLine(failed.Error())
	}
	var answer struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	body, err := runtime.Payload(failed.RawResponse)
	if err != nil || json.Unmarshal(body, &answer) != nil || answer.Code == "" {
		return fmt.Sprintf("the token service answered HTTP %d; check the client id, the tenant and the credential", failed.RawResponse.StatusCode)
	}
	return fmt.Sprintf("the token service answered %s: %s; check the client id, the tenant and the credential", answer.Code, oneLine(answer.Description))
}
