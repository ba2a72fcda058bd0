package keyvault

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"time"
)

// machine issues managed identity tokens to a machine: the instance metadata service
// (https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token) and Azure Arc's agent
// (https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication).
type machine struct {
	mu       sync.Mutex
	own      bool     // the machine has a system-assigned identity
	assigned []string // client IDs; nil for any
	arcDir   string   // folder of the key files of Arc's agent
	arcKeys  map[string]bool
}

const metadataPath = "/metadata/identity/oauth2/token"

// MetadataURL returns the base URL of the machine's instance metadata service. The real service has a link-local address, so a
// client's transport has to redirect to this URL.
func (s *Server) MetadataURL() string { return s.tenant.identityURL() }

// SetManagedIdentities sets the managed identities of the machine: its own, and those assigned to it by client ID. By default
// it has its own and any other.
func (s *Server) SetManagedIdentities(own bool, assigned ...string) {
	m := &s.tenant.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	m.own, m.assigned = own, append([]string{}, assigned...)
}

// EnvArc returns the variables that Azure Arc's agent sets. A caller proves that it is privileged by reading a file. Clients
// accept one folder only: %ProgramData%\AzureConnectedMachineAgent\Tokens or /var/opt/azcmagent/tokens.
func (s *Server) EnvArc(dir string) []string {
	s.tenant.machine.mu.Lock()
	defer s.tenant.machine.mu.Unlock()
	s.tenant.machine.arcDir = dir
	return []string{
		"IDENTITY_ENDPOINT=" + s.tenant.identityURL() + "/arc" + metadataPath,
		"IMDS_ENDPOINT=" + s.tenant.identityURL(),
	}
}

// serveMetadata serves the instance metadata service.
func (t *tenant) serveMetadata(w http.ResponseWriter, r *http.Request) {
	t.tokens.countRequest()
	t.answerMachine(w, r, "2018-02-01")
}

// serveArc serves Arc's agent: the response to the first request names a file, whose content the second request must have.
func (t *tenant) serveArc(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") != "" {
		t.tokens.countRequest()
		if !t.machine.knowsKey(r.Header.Get("Authorization")) {
			machineError(w, http.StatusUnauthorized, "unauthorized", "The key is wrong")
			return
		}
		t.answerMachine(w, r, "2020-06-01")
		return
	}
	file, err := t.machine.newKey()
	if err != nil {
		machineError(w, http.StatusInternalServerError, "server_error", err.Error())
		return
	}
	w.Header().Set("WWW-Authenticate", "Basic realm="+file)
	machineError(w, http.StatusUnauthorized, "unauthorized_client", "Missing Basic Authorization header")
}

func (m *machine) newKey() (file string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key := randomHex(16)
	file = filepath.Join(m.arcDir, key+".key")
	if m.arcKeys == nil {
		m.arcKeys = map[string]bool{}
	}
	m.arcKeys["Basic "+key] = true
	return file, os.WriteFile(file, []byte(key), 0o600)
}

func (m *machine) knowsKey(authorization string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.arcKeys[authorization]
}

func (t *tenant) answerMachine(w http.ResponseWriter, r *http.Request, version string) {
	query := r.URL.Query()
	clientID := query.Get("client_id")
	switch {
	case r.Header.Get("Metadata") != "true":
		machineError(w, http.StatusBadRequest, "invalid_request", "Required metadata header not specified")
	case query.Get("api-version") != version:
		machineError(w, http.StatusBadRequest, "invalid_request", "The api-version is not supported")
	case !isResource(query.Get("resource")):
		machineError(w, http.StatusBadRequest, "invalid_resource", "AADSTS500011: The resource principal was not found")
	case clientID == "" && !t.machine.has("") && len(t.machine.assigned) > 1:
		machineError(w, http.StatusBadRequest, "invalid_request", "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request")
	case !t.machine.has(clientID):
		machineError(w, http.StatusBadRequest, "invalid_request", "Identity not found")
	default:
		t.answerIdentity(w, clientID, query.Get("resource"))
	}
}

func (m *machine) has(clientID string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if clientID == "" {
		return m.own
	}
	return m.assigned == nil || slices.Contains(m.assigned, clientID)
}

// answerIdentity issues a token of a managed identity, the machine's own for an empty client ID.
func (t *tenant) answerIdentity(w http.ResponseWriter, clientID, resource string) {
	if clientID == "" {
		clientID = t.clientID
	}
	writeJSON(w, http.StatusOK, map[string]string{
		"access_token": t.tokens.issue(clientID, resource, tokenLifetime), "client_id": clientID, "token_type": "Bearer",
		"expires_on": strconv.FormatInt(time.Now().Add(tokenLifetime).Unix(), 10), "resource": resource,
	})
}

func machineError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}
