package keyvault

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// retryAdvice ends a message about a failure that may pass by itself.
func (r request) retryAdvice() string {
	if r.list {
		return "the controller retries later"
	}
	return "the agent retries later"
}

// adviceFor returns what a person does about a refusal of Key Vault.
func adviceFor(reason v1alpha1.Reason, of request, body *vaultError) string {
	switch reason {
	case v1alpha1.ReasonAuthenticationFailed:
		return adviceForToken(body.Error.Message)
	case v1alpha1.ReasonAccessDenied:
		return adviceForAccess(of, body, callerOf(body.Error.Message, of.caller()))
	case v1alpha1.ReasonAccessDeniedByFirewall:
		return adviceForFirewall(of, body)
	case v1alpha1.ReasonSecretNotFound:
		return "check the name and version in the URL, and recover the certificate in the vault if it was deleted; the installed certificate stays in place"
	case v1alpha1.ReasonSecretDisabled:
		return "enable that version in the vault or create a new one; the installed certificate stays in place"
	case v1alpha1.ReasonSecretNotYetValid:
		return "wait for the secret's activation date, or change it in the vault"
	case v1alpha1.ReasonExpired:
		return "renew the certificate in the vault, or change the secret's expiration date"
	case v1alpha1.ReasonBadRequest:
		return "check the URL, and whether the Key Vault of the vault's cloud is older than this agent"
	default:
		return of.retryAdvice()
	}
}

// adviceForToken goes by the code with which Key Vault's messages about tokens begin.
func adviceForToken(message string) string {
	switch code, _, _ := strings.Cut(message, ":"); code {
	case "AKV10032":
		return "use an identity of the vault's tenant"
	case "AKV10022":
		return "the vault and AZURE_AUTHORITY_HOST must belong to the same cloud"
	case "AKV10000":
		return "the token did not reach the vault: look for a web proxy that removes the Authorization header"
	default:
		return "check the identity's tenant and cloud, and the node's clock"
	}
}

func adviceForAccess(of request, body *vaultError, caller string) string {
	needed, permission := "Key Vault Secrets User", "get"
	if of.list {
		needed, permission = "Key Vault Reader", "list" // which do not allow reading values
	}
	role := fmt.Sprintf("grant %q on %s to %s", needed, of.secret.Authority(), caller)
	policy := fmt.Sprintf("allow %q for secrets in the access policies of %s to %s", permission, of.secret.Authority(), caller)
	switch inner := body.inner(); {
	case inner == "ForbiddenByRbac":
		return role + "; a new role assignment takes effect after some minutes"
	case strings.Contains(body.Error.Message, "on-behalf-of"):
		return fmt.Sprintf("the access policy names an application in addition to the object id: create one without an application for %s", caller)
	case inner == "AccessDenied" || inner == "ForbiddenByPolicy":
		return policy
	default:
		return role + ", or " + policy
	}
}

var clientAddress = regexp.MustCompile(`Client address: ([0-9A-Fa-f.:]+)`)

func adviceForFirewall(of request, body *vaultError) string {
	whose := "the nodes'"
	if of.list {
		whose = "the controller's"
	}
	if body.inner() == "ForbiddenByConnection" {
		return "the vault accepts connections through private endpoints only: connect " + whose + " network to a private endpoint, and resolve the vault's name to its private address"
	}
	allow := whose + " outbound address"
	if found := clientAddress.FindStringSubmatch(body.Error.Message); found != nil {
		allow = "the address " + found[1]
	}
	return "allow " + allow + ", or " + whose + " subnet, in the vault's networking settings"
}

// caller matches Key Vault's name for a caller: the client ID, and the object ID to which access is granted.
var caller = regexp.MustCompile(`appid=([0-9A-Fa-f-]{36});oid=([0-9A-Fa-f-]{36})`)

// callerOf returns the name of the caller. The vault's message is the best source: a system-assigned identity is in no setting.
func callerOf(message, otherwise string) string {
	if found := caller.FindStringSubmatch(message); found != nil {
		return fmt.Sprintf("client id %s (object id %s)", found[1], found[2])
	}
	return otherwise
}
