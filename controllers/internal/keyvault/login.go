package keyvault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/runtime"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func authenticationFault(secret SecretURL, clientID, why string) *Fault {
	return &Fault{
		Reason:  v1alpha1.ReasonAuthenticationFailed,
		Message: fmt.Sprintf("reading secret %q: authenticating to %s as %s: %s", secret.Name, secret.Authority(), identityName(clientID), why),
	}
}

// tokenFault says what the token service answered. One that throttles or is out of service is asked again like a vault.
func tokenFault(secret SecretURL, clientID string, failed *azidentity.AuthenticationFailedError) *Fault {
	raw := failed.RawResponse
	if raw == nil || (raw.StatusCode != http.StatusTooManyRequests && raw.StatusCode < http.StatusInternalServerError) {
		return authenticationFault(secret, clientID, tokenProblem(failed))
	}
	fault := &Fault{
		Reason:     v1alpha1.ReasonVaultUnreachable,
		Message:    fmt.Sprintf("reading secret %q: the token service, asked for vault %s, answered HTTP %d; it is asked again later", secret.Name, secret.Authority(), raw.StatusCode),
		RetryAfter: retryAfterOf(raw.Header, time.Now()),
	}
	if raw.StatusCode == http.StatusTooManyRequests {
		fault.Reason = v1alpha1.ReasonThrottled
	}
	return fault
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
