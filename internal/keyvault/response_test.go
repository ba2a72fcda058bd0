package keyvault

import (
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestReasonFor(t *testing.T) {
	tests := []struct {
		name    string
		status  int
		inner   string
		message string
		want    v1alpha1.Reason
	}{
		{"no or a wrong token", 401, "Unauthorized", "AKV10032: Invalid issuer.", v1alpha1.ReasonAuthenticationFailed},
		{"no right by access policy", 403, "AccessDenied", "The user does not have secrets get permission", v1alpha1.ReasonAccessDenied},
		{"no right by role", 403, "ForbiddenByRbac", "Caller is not authorized", v1alpha1.ReasonAccessDenied},
		{"denied by policy", 403, "ForbiddenByPolicy", "", v1alpha1.ReasonAccessDenied},
		{"firewall", 403, "ForbiddenByFirewall", "Client address is not authorized", v1alpha1.ReasonAccessDeniedByFirewall},
		{"public access off", 403, "ForbiddenByConnection", "Public network access is disabled", v1alpha1.ReasonAccessDeniedByFirewall},
		{"disabled version", 403, "SecretDisabled", "Operation get is not allowed on a disabled secret.", v1alpha1.ReasonSecretDisabled},
		{"disabled version without inner code", 403, "Forbidden", "Operation get is not allowed on a disabled secret.", v1alpha1.ReasonSecretDisabled},
		{"not yet valid", 403, "Forbidden", "The secret is not yet valid.", v1alpha1.ReasonSecretNotYetValid},
		{"expired", 403, "Forbidden", "Operation get is not allowed on an expired secret.", v1alpha1.ReasonExpired},
		{"no such secret", 404, "SecretNotFound", "", v1alpha1.ReasonSecretNotFound},
		{"deleted and recoverable", 409, "ObjectIsDeletedButRecoverable", "", v1alpha1.ReasonSecretNotFound},
		{"being recovered", 409, "ObjectIsBeingRecovered", "", v1alpha1.ReasonSecretNotFound},
		{"two operations at once", 409, "Conflict", "", v1alpha1.ReasonVaultUnreachable},
		{"public access off without inner code", 403, "Forbidden", "Public network access is disabled and", v1alpha1.ReasonAccessDeniedByFirewall},
		{"firewall without inner code", 403, "Forbidden", "Client address is not authorized and", v1alpha1.ReasonAccessDeniedByFirewall},
		{"a 403 of another kind", 403, "Forbidden", "", v1alpha1.ReasonAccessDenied},
		{"an unknown interface version", 400, "BadParameter", "", v1alpha1.ReasonBadRequest},
		{"a timeout of the gateway", 408, "RequestTimeout", "", v1alpha1.ReasonVaultUnreachable},
		{"a redirect", 307, "", "", v1alpha1.ReasonVaultUnreachable},
		{"throttled", 429, "Throttled", "", v1alpha1.ReasonThrottled},
		{"server error", 500, "InternalError", "", v1alpha1.ReasonVaultUnreachable},
		{"out of service", 503, "", "", v1alpha1.ReasonVaultUnreachable},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := reasonFor(test.status, test.inner, test.message); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}
