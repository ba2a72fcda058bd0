package fleet

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/vaultpane/vaultpane/test/install"
)

// controllerUser is who the controller is to the API server.
const controllerUser = "system:serviceaccount:" + install.Namespace + ":" + install.Controller

// auditPolicy logs what the controller writes, and nothing else
// (https://kubernetes.io/docs/reference/config-api/apiserver-audit.v1/).
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: Metadata, users: ["` + controllerUser + `"], verbs: [create, update, patch, delete]}
- level: None
`

// Audit is the API server's log of what the controller writes.
type Audit struct{ policy, log string }

// NewAudit makes the files of an audit log in dir.
func NewAudit(dir string) (*Audit, error) {
	a := &Audit{policy: filepath.Join(dir, "audit-policy.yaml"), log: filepath.Join(dir, "audit.log")}
	if err := os.WriteFile(a.policy, []byte(auditPolicy), 0o600); err != nil {
		return nil, fmt.Errorf("writing the audit policy: %w", err)
	}
	return a, nil
}

// APIServerArgs have the API server write the log.
func (a *Audit) APIServerArgs() []string {
	return []string{"--audit-policy-file=" + a.policy, "--audit-log-path=" + a.log}
}

// record is what counts of a line of the log.
type record struct {
	Verb      string `json:"verb"`
	ObjectRef struct {
		Resource    string `json:"resource"`
		Subresource string `json:"subresource"`
		Name        string `json:"name"`
	} `json:"objectRef"`
	StageTimestamp time.Time `json:"stageTimestamp"`
}

// what names the write, as in "update observedcertificates/status".
func (r record) what() string {
	what := r.Verb + " " + r.ObjectRef.Resource
	if r.ObjectRef.Subresource != "" {
		what += "/" + r.ObjectRef.Subresource
	}
	return what
}

// Since counts the controller's writes from a time on, as in {"update leases": 30}; also those that were refused.
func (a *Audit) Since(from time.Time) (map[string]int, error) {
	file, err := os.Open(a.log)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // it comes with the first write
	}
	if err != nil {
		return nil, fmt.Errorf("opening the audit log: %w", err)
	}
	defer func() { _ = file.Close() }() // only read
	counts := map[string]int{}
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r record
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("reading the audit log: %w", err)
		}
		if !r.StageTimestamp.Before(from) {
			counts[r.what()]++
		}
	}
	return counts, lines.Err()
}
