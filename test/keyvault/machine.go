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

// machine is what gives managed identities to a machine: the instance metadata service
// (https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token) and Azure Arc's agent
// (https://learn.microsoft.com/azure/azure-arc/servers/managed-identity-authentication).
type machine struct {
	mu       sync.Mutex
	own      bool     // has a system-assigned identity
	assigned []string // client ids; nil for any
	arcDir   string   // where Arc's agent puts its key files
	arcKeys  map[string]bool
}

const metadataPath = "/metadata/identity/oauth2/token"

// MetadataURL returns the base URL under which the instance metadata service of the machine answers. Its own address is
// link-local, so a client's transport has to lead here.
func (s *Server) MetadataURL() string { return s.tenant.identityURL() }

// SetManagedIdentities says which managed identities the machine has: its own, and those assigned to it by client id. At
// first it has its own and any other.
func (s *Server) SetManagedIdentities(own bool, assigned ...string) {
	m := &s.tenant.machine
	m.mu.Lock()
	defer m.mu.Unlock()
	m.own, m.assigned = own, append([]string{}, assigned...)
}

// EnvArc returns the variables that Azure Arc's agent sets. It proves that a caller is privileged by a file in a folder
// which clients accept as Arc's only: %ProgramData%\AzureConnectedMachineAgent\Tokens or /var/opt/azcmagent/tokens.
func (s *Server) EnvArc(dir string) []string {
	s.tenant.machine.mu.Lock()
	defer s.tenant.machine.mu.Unlock()
	s.tenant.machine.arcDir = dir
	return []string{
		"IDENTITY_ENDPOINT=" + s.tenant.identityURL() + "/arc" + metadataPath,
		"IMDS_ENDPOINT=" + s.tenant.identityURL(),
	}
}

// serveMetadata answers as the instance metadata service does.
func (t *tenant) serveMetadata(w http.ResponseWriter, r *http.Request) {
	t.tokens.countRequest()
	t.answerMachine(w, r, "2018-02-01")
}

// serveArc answers as Arc's agent does: a first request is told a file, whose content the second one has to bring.
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
	case !slices.Contains(resources, query.Get("resource")):
		machineError(w, http.StatusBadRequest, "invalid_resource", "AADSTS500011: The resource principal was not found")
	case clientID == "" && !t.machine.has("") && len(t.machine.assigned) > 1:
		machineError(w, http.StatusBadRequest, "invalid_request", "Multiple user assigned identities exist, please specify the clientId / resourceId of the identity in the token request")
	case !t.machine.has(clientID):
		machineError(w, http.StatusBadRequest, "invalid_request", "Identity not found")
	default:
		t.answerIdentity(w, clientID)
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

// answerIdentity hands out a token of a managed identity, the machine's own for an empty client id.
func (t *tenant) answerIdentity(w http.ResponseWriter, clientID string) {
	if clientID == "" {
		clientID = t.clientID
	}
	writeJSON(w, http.StatusOK, map[string]string{
		"access_token": t.tokens.issue(clientID, tokenLifetime), "client_id": clientID, "token_type": "Bearer",
		"expires_on": strconv.FormatInt(time.Now().Add(tokenLifetime).Unix(), 10), "resource": vaultResource,
	})
}

func machineError(w http.ResponseWriter, status int, code, description string) {
	writeJSON(w, status, map[string]string{"error": code, "error_description": description})
}
