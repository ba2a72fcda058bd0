package keyvault

import (
	"bytes"
	"fmt"
	"net/http"
)

// Refusal is one of Key Vault's error responses to a request with or without a valid token. The texts are from reports about the
// service, with this server's names in them; each constant has the source, or "invented" if no report was found.
type Refusal string

// Refusals, all of them in Refusals.
const (
	// WrongIssuer is a token of another tenant (https://github.com/Azure/azure-sdk-for-js/issues/6221).
	WrongIssuer Refusal = "WrongIssuer"
	// WrongAudience is a token for another service (https://github.com/Azure/kubernetes-kms/issues/98).
	WrongAudience Refusal = "WrongAudience"
	// TokenExpired is an expired token
	// (https://learn.microsoft.com/azure/key-vault/general/rest-error-codes#http-401-unauthenticated-request).
	TokenExpired Refusal = "TokenExpired"
	// TokenMissing is a request whose token was lost on the way; also Key Vault's response to every first request.
	TokenMissing Refusal = "TokenMissing"
	// AccessPolicy is a vault with access policies, none for the caller
	// (https://learn.microsoft.com/azure/key-vault/general/common-error-codes).
	AccessPolicy Refusal = "AccessPolicy"
	// Role is a vault with roles, none for the caller.
	Role Refusal = "Role"
	// OnBehalfOf is an access policy for an application and a user together
	// (https://github.com/SparebankenVest/azure-key-vault-to-kubernetes/issues/232).
	OnBehalfOf Refusal = "OnBehalfOf"
	// Firewall is an address that the vault does not allow (https://github.com/microsoft/AzureTRE/issues/3789).
	Firewall Refusal = "Firewall"
	// PublicAccess is a vault that accepts private endpoints only
	// (https://github.com/microsoft/multimodal-ai/issues/171).
	PublicAccess Refusal = "PublicAccess"
	// PrivateLink is the same in another wording (https://github.com/Azure/azure-cli/issues/31406).
	PrivateLink Refusal = "PrivateLink"
	// Disabled is a disabled version (https://github.com/Azure/azure-sdk-for-js/issues/24756).
	Disabled Refusal = "Disabled"
	// DisabledInCamelCase is the same with the inner error spelled innerError, as some gateways and clients show it.
	DisabledInCamelCase Refusal = "DisabledInCamelCase"
	// NotYetValid is a version before its activation date, and Expired one after its expiry; both are invented.
	NotYetValid Refusal = "NotYetValid"
	Expired     Refusal = "Expired"
	// Recoverable is a name that a deleted secret holds
	// (https://github.com/external-secrets/external-secrets/issues/3519).
	Recoverable Refusal = "Recoverable"
	// Recovering is a deleted secret that is being recovered (https://github.com/hashicorp/terraform-provider-azurerm/issues/12285).
	Recovering Refusal = "Recovering"
	// OldService is a cloud whose Key Vault does not support the client's API version; invented after
	// https://learn.microsoft.com/azure-stack/user/azure-stack-key-vault-intro, whose service is years behind.
	OldService Refusal = "OldService"
	// Gone is an unexpected response to a GET.
	Gone Refusal = "Gone"
)

// Refusals are all refusals.
var Refusals = []Refusal{
	WrongIssuer, WrongAudience, TokenExpired, TokenMissing, AccessPolicy, Role, OnBehalfOf, Firewall, PublicAccess, PrivateLink,
	Disabled, DisabledInCamelCase, NotYetValid, Expired, Recoverable, Recovering, OldService, Gone,
}

// Refuse answers the next count requests with a refusal, all until Heal if count is negative.
func (v *Vault) Refuse(kind Refusal, count int) {
	v.fault(func(f *faults) { f.refusal, f.refusals = kind, count })
}

// refusalAnswers hold the response of each refusal to a caller.
var refusalAnswers = map[Refusal]func(v *Vault, clientID string, asked request) answer{
	WrongIssuer: func(v *Vault, _ string, _ request) answer {
		return v.unauthorized(fmt.Sprintf("AKV10032: Invalid issuer. Expected one of https://sts.windows.net/%s/, found https://sts.windows.net/%s/.",
			v.server.tenant.id, v.server.tenant.otherID))
	},
	WrongAudience: func(v *Vault, _ string, _ request) answer {
		return v.unauthorized("AKV10022: Invalid audience. Expected " + vaultResource + ", found: https://management.azure.com/.")
	},
	TokenExpired: func(v *Vault, _ string, _ request) answer { return v.unauthorized(tokenExpired) },
	TokenMissing: func(v *Vault, _ string, _ request) answer { return v.unauthorized(tokenMissing) },
	AccessPolicy: func(v *Vault, clientID string, _ request) answer {
		return forbidden("AccessDenied", fmt.Sprintf("The user, group or application '%s' does not have secrets get permission on "+
			"key vault '%s;location=%s'. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125287",
			v.caller(clientID), v.name, region))
	},
	Role: (*Vault).refusedByRole,
	OnBehalfOf: func(v *Vault, clientID string, _ request) answer {
		return forbidden("ForbiddenByPolicy", fmt.Sprintf("The policy requires the caller '%s' to use on-behalf-of (OBO) flow. "+
			"For more information on OBO, please see https://go.microsoft.com/fwlink/?linkid=2152310", v.caller(clientID)))
	},
	Firewall: func(v *Vault, clientID string, _ request) answer { return v.refusedByFirewall(clientID) },
	PublicAccess: func(v *Vault, clientID string, _ request) answer {
		return forbidden("ForbiddenByConnection", "Public network access is disabled and request is not from a trusted service "+
			"nor via an approved private link.\r\n"+v.callerText(clientID)+"\r\n"+v.vaultText())
	},
	PrivateLink: func(v *Vault, clientID string, _ request) answer {
		return forbidden("ForbiddenByConnection", "Connection is not an approved private link and caller was ignored because bypass "+
			"is not set to 'AzureServices' and PublicNetworkAccess is set to 'Disabled'.\r\n"+v.callerText(clientID)+"\r\n"+v.vaultText())
	},
	Disabled: func(*Vault, string, request) answer { return disabledSecret() },
	DisabledInCamelCase: func(*Vault, string, request) answer {
		result := disabledSecret()
		result.body = bytes.Replace(result.body, []byte(`"innererror"`), []byte(`"innerError"`), 1)
		return result
	},
	NotYetValid: func(*Vault, string, request) answer { return notYetValid() },
	Expired:     func(*Vault, string, request) answer { return expiredSecret() },
	Recoverable: func(_ *Vault, _ string, asked request) answer {
		return conflict("ObjectIsDeletedButRecoverable", fmt.Sprintf("Secret %s is currently in a deleted but recoverable state, and "+
			"its name cannot be reused; in this state, the secret can only be recovered or purged.", asked.name))
	},
	Recovering: func(_ *Vault, _ string, asked request) answer {
		return conflict("ObjectIsBeingRecovered",
			fmt.Sprintf("Secret %s is currently being recovered and cannot be re-created; retry later.", asked.name))
	},
	OldService: func(*Vault, string, request) answer {
		return failure(http.StatusBadRequest, "BadParameter", "",
			"The specified version (2026-04-01) is not recognized. Consider using the latest supported version (2016-10-01).")
	},
	Gone: func(*Vault, string, request) answer {
		return failure(http.StatusGone, "Gone", "", "The resource is gone.")
	},
}

func forbidden(innerCode, message string) answer {
	return failure(http.StatusForbidden, "Forbidden", innerCode, message)
}

func conflict(innerCode, message string) answer {
	return failure(http.StatusConflict, "Conflict", innerCode, message)
}
