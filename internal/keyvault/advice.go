package keyvault

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// adviceFor says what a person does about Key Vault's refusal.
func adviceFor(reason v1alpha1.Reason, secret SecretURL, body *vaultError, clientID string) string {
	switch reason {
	case v1alpha1.ReasonAuthenticationFailed:
		return adviceForToken(body.Error.Message)
	case v1alpha1.ReasonAccessDenied:
		return adviceForAccess(secret, body, callerOf(body.Error.Message, clientID))
	case v1alpha1.ReasonAccessDeniedByFirewall:
		return adviceForFirewall(body)
	case v1alpha1.ReasonSecretNotFound:
		return "check the name and version in the URL, and recover the certificate in the vault if it was deleted; what is installed stays"
	case v1alpha1.ReasonSecretDisabled:
		return "enable that version in the vault or create a new one; what is installed stays"
	case v1alpha1.ReasonSecretNotYetValid:
		return "wait for the secret's activation date, or change it in the vault"
	case v1alpha1.ReasonExpired:
		return "renew the certificate in the vault, or move the secret's expiration date"
	case v1alpha1.ReasonBadRequest:
		return "compare the URL with the vault, and whether its cloud's Key Vault is older than this agent"
	default:
		return "it is asked again later"
	}
}

// adviceForToken goes by the codes that begin Key Vault's messages about tokens.
func adviceForToken(message string) string {
	switch code, _, _ := strings.Cut(message, ":"); code {
	case "AKV10032":
		return "use an identity of the vault's tenant"
	case "AKV10022":
		return "the vault and AZURE_AUTHORITY_HOST must be of the same cloud"
	case "AKV10000":
		return "the token did not reach the vault: look for a web proxy that removes the Authorization header"
	default:
		return "check the identity's tenant and cloud, and the node's clock"
	}
}

func adviceForAccess(secret SecretURL, body *vaultError, caller string) string {
	role := fmt.Sprintf("grant \"Key Vault Secrets User\" on %s to %s", secret.Authority(), caller)
	policy := fmt.Sprintf("allow \"get\" for secrets in the access policies of %s to %s", secret.Authority(), caller)
	switch inner := body.inner(); {
	case inner == "ForbiddenByRbac":
		return role + "; a new grant takes some minutes to work"
	case strings.Contains(body.Error.Message, "on-behalf-of"):
		return fmt.Sprintf("the access policy names an application beside the object id: make one without for %s", caller)
	case inner == "AccessDenied" || inner == "ForbiddenByPolicy":
		return policy
	default:
		return role + ", or " + policy
	}
}

var clientAddress = regexp.MustCompile(`Client address: ([0-9A-Fa-f.:]+)`)

func adviceForFirewall(body *vaultError) string {
	if body.inner() == "ForbiddenByConnection" {
		return "the vault answers through private endpoints only: connect the nodes' network to one, and let its DNS zone give the private address"
	}
	allow := "the nodes' outbound address"
	if found := clientAddress.FindStringSubmatch(body.Error.Message); found != nil {
		allow = "the address " + found[1]
	}
	return "allow " + allow + ", or the nodes' subnet, in the vault's networking settings"
}

// caller matches the way in which Key Vault names who asked: the client id, and the object id that grants are made to.
var caller = regexp.MustCompile(`appid=([0-9A-Fa-f-]{36});oid=([0-9A-Fa-f-]{36})`)

// callerOf names who asked. The vault knows it best: a system-assigned identity is in no setting.
func callerOf(message, clientID string) string {
	if found := caller.FindStringSubmatch(message); found != nil {
		return fmt.Sprintf("client id %s (object id %s)", found[1], found[2])
	}
	return identityName(clientID)
}
