package keyvault

import (
	"fmt"
	"net/http"

	"github.com/google/uuid"
)

const region = "westeurope"

// Key Vault's refusals: the codes are from https://learn.microsoft.com/azure/key-vault/general/rest-error-codes, the
// texts from known responses of the service. The inner codes SecretNotYetValid and SecretExpired and their texts are
// invented, and so is 404 with the text of Key Vault's 409 for a deleted secret: tests with them prove nothing about the service.

func (v *Vault) unauthorized(message string) answer {
	challenge := fmt.Sprintf(`Bearer authorization="%s/%s", resource="%s"`, v.server.tenant.url(), v.server.tenant.id, vaultResource)
	return failure(http.StatusUnauthorized, "Unauthorized", "", message).with("WWW-Authenticate", challenge)
}

// caller names the holder of a token: the application's client ID, and the object ID of its service principal.
func (v *Vault) caller(clientID string) string {
	return fmt.Sprintf("appid=%s;oid=%s;iss=https://sts.windows.net/%s/", clientID, ObjectID(clientID), v.server.tenant.id)
}

func (v *Vault) callerText(clientID string) string { return "Caller: " + v.caller(clientID) }

// ObjectID returns the object ID of the service principal of a client ID, the same each time.
func ObjectID(clientID string) string {
	return uuid.NewSHA1(uuid.NameSpaceOID, []byte(clientID)).String()
}

func (v *Vault) vaultText() string { return fmt.Sprintf("Vault: %s;location=%s", v.name, region) }

func (v *Vault) refusedByFirewall(clientID string) answer {
	return forbidden("ForbiddenByFirewall",
		"Client address is not authorized and caller is not a trusted service.\r\nClient address: 127.0.0.1\r\n"+
			v.callerText(clientID)+"\r\n"+v.vaultText())
}

func (v *Vault) refusedByRole(clientID string, asked request) answer {
	action := "Microsoft.KeyVault/vaults/secrets/getSecret/action"
	if asked.list {
		action = "Microsoft.KeyVault/vaults/secrets/readMetadata/action"
	}
	return forbidden("ForbiddenByRbac",
		"Caller is not authorized to perform action on resource.\r\n"+
			"If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\n"+
			v.callerText(clientID)+"\r\n"+fmt.Sprintf("Action: '%s'\r\n", action)+
			fmt.Sprintf("Resource: '/subscriptions/%s/resourcegroups/vaultpane/providers/microsoft.keyvault/vaults/%s/secrets/%s'\r\n",
				v.server.tenant.id, v.name, asked.name)+
			"Assignment: (not found)\r\nDenyAssignmentId: null\r\nDecisionReason: null \r\n"+v.vaultText()+"\r\n")
}

func notFound(asked request) answer {
	named := asked.name
	if asked.version != "" {
		named += "/" + asked.version
	}
	return failure(http.StatusNotFound, "SecretNotFound", "", fmt.Sprintf("A secret with (name/id) %s was not found in this key "+
		"vault. If you recently deleted this secret you may be able to recover it using the correct recovery command. For help "+
		"resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182", named))
}

func isDeleted(asked request) answer {
	return failure(http.StatusNotFound, "SecretNotFound", "", fmt.Sprintf("Secret %s is currently in a deleted but recoverable "+
		"state, and its name cannot be reused; in this state, the secret can only be recovered or purged.", asked.name))
}

func disabledSecret() answer {
	return forbidden("SecretDisabled", "Operation get is not allowed on a disabled secret.")
}

func notYetValid() answer {
	return forbidden("SecretNotYetValid",
		"Operation get is not allowed on a secret that is not yet valid.")
}

func expiredSecret() answer {
	return forbidden("SecretExpired", "Operation get is not allowed on an expired secret.")
}
