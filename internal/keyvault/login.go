package keyvault

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func authenticationFault(secret SecretURL, clientID, why string) *Fault {
	return &Fault{
		Reason:  v1alpha1.ReasonAuthenticationFailed,
		Message: about(secret, clientID) + "authenticating: " + why,
	}
}

// tokenFault says what the token service answered. One that throttles or is out of service is asked again like a vault.
func tokenFault(secret SecretURL, clientID string, answer *refusalError) *Fault {
	if answer.status != http.StatusTooManyRequests && answer.status < http.StatusInternalServerError {
		problem, detail := tokenProblem(answer)
		fault := authenticationFault(secret, clientID, problem)
		fault.Detail, fault.RequestID = detail, requestID(answer)
		return fault
	}
	fault := &Fault{
		Reason:     v1alpha1.ReasonVaultUnreachable,
		Message:    about(secret, clientID) + fmt.Sprintf("the token service answered HTTP %d at %s; it is asked again later", answer.status, answer.url),
		RequestID:  requestID(answer),
		RetryAfter: retryAfterOf(answer.header, time.Now()),
	}
	if answer.status == http.StatusTooManyRequests {
		fault.Reason = v1alpha1.ReasonThrottled
	}
	return fault
}

// inOurWords names the agent's settings where the SDK's advice names options of its own, which nobody can set from outside.
var inOurWords = strings.NewReplacer(
	`To enable acquiring tokens for this tenant add it to the AdditionallyAllowedTenants on the credential options, or add "*" to allow acquiring tokens for any tenant`,
	"Set AZURE_TENANT_ID to the vault's tenant, or name that one in AZURE_ADDITIONALLY_ALLOWED_TENANTS",
)

// attempts returns what a credential says about its failure. A chain's text has a line for each credential that was tried,
// behind one tab; what stands behind more can be a whole response.
func attempts(err error) string {
	lines := strings.Split(inOurWords.Replace(err.Error()), "\n")
	var tried []string
	for _, line := range lines {
		if strings.HasPrefix(line, "\t") && !strings.HasPrefix(line, "\t\t") {
			tried = append(tried, gist(line))
		}
	}
	if len(tried) == 0 {
		return gist(lines[0])
	}
	return oneLine(strings.Join(tried, "; "))
}
