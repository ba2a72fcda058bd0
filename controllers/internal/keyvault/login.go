package keyvault

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func authenticationFault(secret SecretURL, clientID, why string) *Fault {
	return &Fault{
		Reason:  v1alpha1.ReasonAuthenticationFailed,
		Message: fmt.Sprintf("reading secret %q: authenticating to %s as %s: %s", secret.Name, secret.Authority(), identityName(clientID), why),
	}
}

// tokenFault says what the token service answered. One that throttles or is out of service is asked again like a vault.
func tokenFault(secret SecretURL, clientID string, answer *refusalError) *Fault {
	if answer.status != http.StatusTooManyRequests && answer.status < http.StatusInternalServerError {
		return authenticationFault(secret, clientID, tokenProblem(answer))
	}
	fault := &Fault{
		Reason:     v1alpha1.ReasonVaultUnreachable,
		Message:    fmt.Sprintf("reading secret %q: the token service, asked for vault %s, answered HTTP %d; it is asked again later", secret.Name, secret.Authority(), answer.status),
		RetryAfter: retryAfterOf(answer.header, time.Now()),
	}
	if answer.status == http.StatusTooManyRequests {
		fault.Reason = v1alpha1.ReasonThrottled
	}
	return fault
}

// tokenProblem returns what the token service said. Its error_description begins with the AADSTS code and the reason
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes); it holds no secret.
func tokenProblem(answer *refusalError) string {
	const check = "; check the client id, the tenant and the credential"
	var body struct {
		Code        string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(answer.body, &body) != nil || body.Code == "" {
		return fmt.Sprintf("the token service answered HTTP %d", answer.status) + check
	}
	return fmt.Sprintf("the token service answered %s: %s", oneLine(body.Code), oneLine(body.Description)) + check
}

// inOurWords names the agent's settings where the SDK's advice names options of its own, which nobody can set from outside.
var inOurWords = strings.NewReplacer(
	"Set DisableChallengeResourceVerification to true in your client options to disable",
	"If that is meant, start the agent with --disable-challenge-resource-verification",
)

// attempts returns what a credential says about its failure. A chain's text has a line for each credential that was tried,
// behind one tab; what stands behind more can be a whole response.
func attempts(err error) string {
	lines := strings.Split(inOurWords.Replace(err.Error()), "\n")
	var tried []string
	for _, line := range lines {
		if strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "\t\t") {
			tried = append(tried, oneLine(line))
		}
	}
	if len(tried) == 0 {
		return oneLine(lines[0])
	}
	return oneLine(strings.Join(tried, "; "))
}
