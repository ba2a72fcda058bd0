package keyvault

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

const (
	vaultResource     = "https://vault.azure.net"
	eventGridResource = "https://eventgrid.azure.net"
	assertionType     = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
	tokenLifetime     = time.Hour
)

// oauthError is Entra ID's error body
// (https://learn.microsoft.com/entra/identity-platform/reference-error-codes).
type oauthError struct {
	Error         string `json:"error"`
	Description   string `json:"error_description"`
	Codes         []int  `json:"error_codes"`
	TraceID       string `json:"trace_id,omitempty"`
	CorrelationID string `json:"correlation_id,omitempty"`
	status        int
}

// serveToken serves the OAuth 2.0 client credentials grant.
func (t *tenant) serveToken(w http.ResponseWriter, r *http.Request) {
	t.tokens.countRequest()
	if refusal := t.refuse(r); refusal != nil {
		refusal.TraceID, refusal.CorrelationID = newID(), newID()
		refusal.Description += " Trace ID: " + refusal.TraceID + " Correlation ID: " + refusal.CorrelationID +
			" Timestamp: " + time.Now().UTC().Format("2006-01-02 15:04:05Z")
		writeJSON(w, refusal.status, refusal)
		return
	}
	seconds := int(tokenLifetime.Seconds())
	writeJSON(w, http.StatusOK, map[string]any{
		"token_type": "Bearer", "expires_in": seconds, "ext_expires_in": seconds,
		"access_token": t.tokens.issue(r.PostFormValue("client_id"), resourceOf(r), tokenLifetime),
	})
}

// refuse returns the error for a token request; nil for a valid one.
func (t *tenant) refuse(r *http.Request) *oauthError {
	clientID := r.PostFormValue("client_id")
	if refusal := t.refusedTo(clientID); refusal != nil {
		return refusal
	}
	switch {
	case r.PathValue("tenant") != t.id:
		return &oauthError{status: http.StatusBadRequest, Error: "invalid_request", Codes: []int{90002},
			Description: "AADSTS90002: Tenant '" + r.PathValue("tenant") + "' not found."}
	case r.PostFormValue("grant_type") != "client_credentials":
		return &oauthError{status: http.StatusBadRequest, Error: "unsupported_grant_type", Codes: []int{70003},
			Description: "AADSTS70003: The app requested an unsupported grant type '" + r.PostFormValue("grant_type") + "'."}
	case resourceOf(r) == "":
		return &oauthError{status: http.StatusBadRequest, Error: "invalid_scope", Codes: []int{70011},
			Description: "AADSTS70011: The provided request must include a 'scope' input parameter. The scope '" +
				r.PostFormValue("scope") + "' is not valid."}
	case r.PostFormValue("client_assertion") != "":
		if r.PostFormValue("client_assertion_type") != assertionType || !t.knowsAssertion(r.PostFormValue("client_assertion")) && !t.signedByPrincipal(r.PostFormValue("client_assertion")) {
			return &oauthError{status: http.StatusUnauthorized, Error: "invalid_client", Codes: []int{700213},
				Description: "AADSTS700213: No matching federated identity record found for presented assertion."}
		}
		return nil
	case clientID != t.clientID:
		return &oauthError{status: http.StatusBadRequest, Error: "unauthorized_client", Codes: []int{700016},
			Description: "AADSTS700016: Application with identifier '" + clientID + "' was not found in the directory '" + t.id + "'."}
	case r.PostFormValue("client_secret") != t.clientSecret:
		return &oauthError{status: http.StatusUnauthorized, Error: "invalid_client", Codes: []int{7000215},
			Description: "AADSTS7000215: Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '" + clientID + "'."}
	}
	return nil
}

// serveIdentity serves the token request of a managed identity in App Service.
func (t *tenant) serveIdentity(w http.ResponseWriter, r *http.Request) {
	t.tokens.countRequest()
	query := r.URL.Query()
	message := ""
	switch {
	case r.Header.Get("X-IDENTITY-HEADER") != t.identityHeader:
		message = "the identity header is wrong"
	case query.Get("api-version") != "2019-08-01":
		message = "the api-version is not supported"
	case !isResource(query.Get("resource")):
		message = "the resource " + query.Get("resource") + " is unknown"
	}
	if message != "" {
		writeJSON(w, http.StatusBadRequest, map[string]any{"statusCode": http.StatusBadRequest, "message": message})
		return
	}
	t.answerIdentity(w, query.Get("client_id"), query.Get("resource"))
}

// resources are the resources of Key Vault in each cloud.
var resources = []string{vaultResource, "https://vault.azure.cn", "https://vault.usgovcloudapi.net"}

// isResource reports whether the tenant has a resource: Key Vault in any cloud, and Event Grid.
func isResource(name string) bool {
	return name == eventGridResource || slices.Contains(resources, name)
}

// resourceOf returns the resource in the scope of a token request, empty for an unknown one. MSAL adds the scopes of OpenID.
func resourceOf(r *http.Request) string {
	for _, scope := range strings.Fields(r.PostFormValue("scope")) {
		if resource, found := strings.CutSuffix(scope, "/.default"); found && isResource(resource) {
			return resource
		}
	}
	return ""
}

func newID() string { return uuid.NewString() }
