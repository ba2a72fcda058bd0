package keyvault

import (
	"fmt"
	"net/http"
	"time"
)

const (
	federation = ". Check your federated identity credential Subject, Audience and Issuer against the presented assertion. " +
		"https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
	noRecord  = "No matching federated identity record found for presented assertion "
	issuerURL = "https://westeurope.oic.prod-aks.azure.com/"
	subject   = "system:serviceaccount:vaultpane-system:vaultpane-agent"
)

// loginText is the text and the OAuth error code of one of Entra ID's refusals.
type loginText struct {
	status int
	code   string
	text   func(t *tenant, clientID string) string
}

var loginTexts = map[LoginRefusal]loginText{
	WrongSecret: {http.StatusUnauthorized, "invalid_client", func(_ *tenant, clientID string) string {
		return "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the " +
			"client secret ID, for a secret added to app '" + clientID + "'."
	}},
	ExpiredSecret: {http.StatusUnauthorized, "invalid_client", func(_ *tenant, clientID string) string {
		return "The provided client secret keys for app '" + clientID + "' are expired. Visit the Azure portal to create new keys for your " +
			"app: https://aka.ms/NewClientSecret, or consider using certificate credentials for added security: https://aka.ms/certCreds."
	}},
	UnknownCertificate: {http.StatusUnauthorized, "invalid_client", func(*tenant, string) string {
		return "The certificate with identifier used to sign the client assertion is not registered on application. [Reason - The key was not found.]"
	}},
	UnknownApplication: {http.StatusBadRequest, "unauthorized_client", func(t *tenant, clientID string) string {
		return "Application with identifier '" + clientID + "' was not found in the directory '" + t.id + "'. This can happen if the application " +
			"has not been installed by the administrator of the tenant or consented to by any user in the tenant. You may have sent your " +
			"authentication request to the wrong tenant."
	}},
	DisabledApplication: {http.StatusUnauthorized, "unauthorized_client", func(_ *tenant, clientID string) string {
		return "Application '" + clientID + "'(vaultpane) is disabled."
	}},
	UnknownTenant: {http.StatusBadRequest, "invalid_request", func(t *tenant, _ string) string {
		return "Tenant '" + t.id + "' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud. " +
			"Check with your subscription administrator, this may happen if there are no active subscriptions for the tenant."
	}},
	NoFederation: {http.StatusBadRequest, "invalid_request", func(*tenant, string) string {
		return "No matching federated identity record found for presented assertion. Assertion Issuer: '" + issuerURL + "'. Assertion Subject: '" +
			subject + "'. Assertion Audience: 'api://AzureADTokenExchange'. https://learn.microsoft.com/entra/workload-id/workload-identity-federation"
	}},
	OtherIssuer: {http.StatusUnauthorized, "invalid_client", func(*tenant, string) string {
		return noRecord + "issuer '" + issuerURL + "'" + federation
	}},
	OtherAudience: {http.StatusUnauthorized, "invalid_client", func(*tenant, string) string {
		return noRecord + "audience 'api://AzureADTokenExchange'" + federation
	}},
	OtherSubject: {http.StatusUnauthorized, "invalid_client", func(*tenant, string) string {
		return noRecord + "subject '" + subject + "'" + federation
	}},
	ExpiredAssertion: {http.StatusUnauthorized, "invalid_client", func(t *tenant, _ string) string {
		const form = "2006-01-02T15:04:05.0000000Z"
		now := time.Now().UTC() // the token's own times are the same each time
		return fmt.Sprintf("Client assertion is not within its valid time range. Current time: %s, assertion valid from %s, expiry time of "+
			"assertion %s. Review the documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .",
			now.Format(form), t.began.Add(-2*time.Hour).Format(form), t.began.Add(-time.Hour).Format(form))
	}},
	OtherCloud: {http.StatusBadRequest, "invalid_resource", func(t *tenant, _ string) string {
		return "The resource principal named " + vaultResource + " was not found in the tenant named " + t.id + ". This can happen if the " +
			"application has not been installed by the administrator of the tenant or consented to by any user in the tenant. You might have " +
			"sent your authentication request to the wrong tenant."
	}},
	ForeignUser: {http.StatusBadRequest, "invalid_grant", func(t *tenant, clientID string) string {
		return "User account '{EUII Hidden}' from identity provider 'https://sts.windows.net/" + t.otherID + "/' does not exist in tenant '" + t.id +
			"' and cannot access the application '" + clientID + "'(Microsoft Azure CLI) in that tenant."
	}},
	ConditionalAccess: {http.StatusBadRequest, "invalid_grant", func(*tenant, string) string {
		return "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance."
	}},
}
