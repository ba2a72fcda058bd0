package keyvault

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/exchange"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// loginAdvice is the advice for each of Entra ID's refusals.
var loginAdvice = map[vaulttest.LoginRefusal]string{
	vaulttest.WrongSecret:         "set AZURE_CLIENT_SECRET to the value",
	vaulttest.ExpiredSecret:       "create a new secret",
	vaulttest.UnknownCertificate:  "AZURE_CLIENT_CERTIFICATE_PATH",
	vaulttest.UnknownApplication:  "check the client id",
	vaulttest.DisabledApplication: "enable the application",
	vaulttest.UnknownTenant:       "check AZURE_TENANT_ID",
	vaulttest.NoFederation:        "federated credential with the issuer, subject and audience",
	vaulttest.OtherIssuer:         "federated credential with the issuer, subject and audience",
	vaulttest.OtherAudience:       "federated credential with the issuer, subject and audience",
	vaulttest.OtherSubject:        "federated credential with the issuer, subject and audience",
	vaulttest.ExpiredAssertion:    "check that kubelet renews the file",
	vaulttest.OtherCloud:          "belong to different clouds",
	vaulttest.ForeignUser:         "az login --tenant",
	vaulttest.ConditionalAccess:   "Conditional Access policy",
}

// loginFailures are Entra ID's refusals, one for each.
func loginFailures() []failureCase {
	var all []failureCase
	for _, kind := range vaulttest.LoginRefusals {
		all = append(all, failureCase{
			name:    fmt.Sprintf("login, AADSTS%d", kind),
			arrange: func(_ *testing.T, f *fixture) { f.server.RefuseLogin(f.env["AZURE_CLIENT_ID"], kind) },
			want:    v1alpha1.ReasonAuthenticationFailed, class: v1alpha1.ClassWaiting, request: true,
			says: []string{"the token service answered ", fmt.Sprintf(": AADSTS%d: ", kind), loginAdvice[kind]},
		})
	}
	return all
}

const someone = "11111111-2222-3333-4444-555555555555"

// identityFailures are other failures to get a token.
var identityFailures = []failureCase{
	{name: "login, a tenant that is not the vault's", arrange: setting("AZURE_TENANT_ID", someone), want: v1alpha1.ReasonAuthenticationFailed,
		class: v1alpha1.ClassWaiting, says: []string{"isn't configured to acquire tokens for tenant", "Set AZURE_TENANT_ID to the vault's tenant"}},
	{name: "login, a vault that asks for tokens for another domain", arrange: func(t *testing.T, f *fixture) {
		options := f.options()
		options.DisableChallengeResourceVerification = false
		f.clients, f.wire = newClients(t, options)
	}, want: v1alpha1.ReasonAuthenticationFailed, class: v1alpha1.ClassWaiting, says: []string{"challenge asks for a token for https://vault.azure.net", "--disable-challenge-resource-verification=localhost:"}},
	{name: "login, a token service that is down", arrange: func(_ *testing.T, f *fixture) { f.server.StopLogin() }, want: v1alpha1.ReasonVaultUnreachable,
		class: v1alpha1.ClassTransient, says: []string{"token service 127.0.0.1:", "no connection: "}},
	{name: "login, a token service whose name does not exist", arrange: func(t *testing.T, f *fixture) {
		f.nameServer(t).answer("localhost.", noError)
		setting("AZURE_AUTHORITY_HOST", "https://login.invalid/")(t, f)
	}, want: v1alpha1.ReasonVaultUnreachable, class: v1alpha1.ClassTransient, says: []string{"token service login.invalid: the host name does not resolve", "AZURE_AUTHORITY_HOST"}},
	{name: "login, an untrusted token service", arrange: func(t *testing.T, f *fixture) {
		setting("AZURE_AUTHORITY_HOST", authorityOf(t, vaulttest.ForTest(t)))(t, f)
	}, want: v1alpha1.ReasonTLSFailure, class: v1alpha1.ClassTransient, says: []string{"token service 127.0.0.1:", "unknown authority", "--ca-bundle"}},
	{name: "login, 503", arrange: loginAnswers(http.StatusServiceUnavailable, "text/plain", "Sorry."), want: v1alpha1.ReasonVaultUnreachable,
		class: v1alpha1.ClassTransient, says: []string{"the token service answered HTTP 503", "the agent retries later"}, retryAfter: 7 * time.Second},
	{name: "login, 429", arrange: loginAnswers(http.StatusTooManyRequests, "application/json", `{"error":"temporarily_unavailable"}`),
		want: v1alpha1.ReasonThrottled, class: v1alpha1.ClassTransient, says: []string{"the token service answered HTTP 429"}, retryAfter: 7 * time.Second},
	{name: "login, a captive portal", arrange: loginAnswers(http.StatusOK, "text/html", "<html>Sign in to this network</html>"),
		want: v1alpha1.ReasonVaultUnreachable, class: v1alpha1.ClassTransient, says: []string{"token service 127.0.0.1:", "sign-in page"}},
	{name: "login, a refusal in another form", arrange: loginAnswers(http.StatusForbidden, "text/html", "<html>No</html>"),
		want: v1alpha1.ReasonAuthenticationFailed, class: v1alpha1.ClassWaiting, says: []string{"HTTP 403 at https://127.0.0.1:", "/.well-known/openid-configuration, which is not an OAuth response", "check AZURE_AUTHORITY_HOST"}},
	{name: "federated token, no file", arrange: func(t *testing.T, f *fixture) {
		f.env = setEnvironment(t, federated(t, f.server))
		check(t, os.Remove(f.env["AZURE_FEDERATED_TOKEN_FILE"]))
	}, want: v1alpha1.ReasonAuthenticationFailed, class: v1alpha1.ClassWaiting, says: []string{"token"}},
	{name: "federated token, expired, of a certificate's own identity", clientID: someone, arrange: func(t *testing.T, f *fixture) {
		f.env = setEnvironment(t, federated(t, f.server))
		f.server.RefuseLogin(someone, vaulttest.ExpiredAssertion)
	}, request: true, want: v1alpha1.ReasonAuthenticationFailed, class: v1alpha1.ClassWaiting, says: []string{"AADSTS700024", "check that kubelet renews the file"}},
	{name: "managed identity, no metadata service", clientID: someone, arrange: func(t *testing.T, f *fixture) {
		f.env = setEnvironment(t, nil)
		f.route(metadataAddress, closedAddress(t))
	}, want: v1alpha1.ReasonAuthenticationFailed, class: v1alpha1.ClassWaiting,
		says: []string{"the instance metadata service (169.254.169.254), which issues tokens for managed identities, does not respond: ", "choose another identity with --credential", "AZURE_FEDERATED_TOKEN_FILE"}},
	{name: "no identity at all", arrange: func(t *testing.T, f *fixture) {
		f.env = setEnvironment(t, []string{"AZURE_TOKEN_CREDENTIALS=prod"})
		f.route(metadataAddress, closedAddress(t))
	}, want: v1alpha1.ReasonAuthenticationFailed, class: v1alpha1.ClassWaiting, says: []string{"no client secret, client certificate or federated token file is configured", "169.254.169.254", "AZURE_CLIENT_SECRET"}},
}

// metadataAddress is the address of the instance metadata service.
const metadataAddress = exchange.MetadataHost + ":80"

// closedAddress is an address without a listener.
func closedAddress(t *testing.T) string {
	t.Helper()
	socket := listen(t)
	check(t, socket.Close())
	return socket.Addr().String()
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	socket, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	return socket
}

// authorityOf returns the URL of a server's token service.
func authorityOf(t *testing.T, server *vaulttest.Server) string {
	t.Helper()
	for _, variable := range server.Env() {
		if value, ok := strings.CutPrefix(variable, "AZURE_AUTHORITY_HOST="); ok {
			return value
		}
	}
	t.Fatal("the server names no token service")
	return ""
}

func federated(t *testing.T, s *vaulttest.Server) []string {
	return s.EnvFederated(filepath.Join(filepath.Dir(s.CAFile()), "token"))
}
