//go:build linux

package e2enode

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/linuxnode"
)

// azureAudience is the chart's default.
const azureAudience = "api://AzureADTokenExchange"

// Where the chart and kubelet put the tokens.
const (
	azureTokenFile   = "/var/run/secrets/vaultpane/azure/token"
	clusterTokenFile = "/var/run/secrets/kubernetes.io/serviceaccount/token"
)

// azureLifetime is the shortest that Kubernetes allows.
const azureLifetime = 10 * time.Minute

// signIns are the federated tokens with which agents signed in, in their order.
type signIns struct {
	mu     sync.Mutex
	tokens []string
}

func (s *signIns) add(token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tokens = append(s.tokens, token)
}

func (s *signIns) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.tokens) == 0 {
		return ""
	}
	return s.tokens[len(s.tokens)-1]
}

// claims are what the tests look at of a service account's token.
type claims struct {
	Audience   []string `json:"aud"`
	Subject    string   `json:"sub"`
	Issued     int64    `json:"iat"`
	Expires    int64    `json:"exp"`
	Kubernetes struct {
		Node struct {
			Name string `json:"name"`
		} `json:"node"`
		Pod struct {
			UID string `json:"uid"`
		} `json:"pod"`
	} `json:"kubernetes.io"`
}

func readClaims(token string) (claims, error) {
	var c claims
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return c, fmt.Errorf("a token has %d parts, want 3", len(parts))
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return c, err
	}
	return c, json.Unmarshal(text, &c)
}

// tokens looks at what kubelet projects into the agent's pod.
func (l *life) tokens(t *testing.T) {
	agent := l.one(t, agentComponent)
	process := l.process(t, agent)
	for file, audience := range map[string]string{azureTokenFile: azureAudience, clusterTokenFile: ""} {
		token := l.token(t, process, file)
		c, err := readClaims(token)
		if err != nil {
			t.Fatal(err)
		}
		if c.Kubernetes.Node.Name != linuxnode.Name || c.Kubernetes.Pod.UID != string(agent.UID) {
			t.Errorf("the token %s is bound to %+v, want node %s and pod %s", file, c.Kubernetes, linuxnode.Name, agent.UID)
		}
		if audience != "" && (c.Audience[0] != audience || time.Duration(c.Expires-c.Issued)*time.Second != azureLifetime) {
			t.Errorf("the token %s is for %v and %d s, want %s and %s", file, c.Audience, c.Expires-c.Issued, audience, azureLifetime)
		}
		status, err := os.Stat(process.File(file))
		if err != nil {
			t.Fatal(err)
		}
		if status.Mode().Perm()&0o007 != 0 {
			t.Errorf("the token %s has mode %s: others may read it", file, status.Mode())
		}
	}
	if l.signIns.last() != l.token(t, process, azureTokenFile) {
		t.Error("the agent signed in with another token than the one in its file")
	}
}

// renewed waits until the file of the Azure token has another than before, and then until the agent has signed in with it: the tokens
// that it got for the old one are made invalid.
func (l *life) renewed(t *testing.T, before string) {
	t.Helper()
	agent := l.one(t, agentComponent)
	process := l.process(t, agent)
	var now string
	await.That(t, "kubelet has replaced the token in the running container", func() (bool, error) {
		now = l.token(t, process, azureTokenFile)
		return now != before, nil
	})
	l.vaults.RotateSigningKey()
	l.rotate(t)
	if l.signIns.last() != now {
		t.Error("the agent did not sign in with the new token")
	}
}

// byItself waits for a renewal that nothing but time causes, after four fifths of the token's lifetime. The pod is synced once a
// minute or so.
func (l *life) byItself(t *testing.T) {
	if !*renewal {
		t.Skip("it takes nine minutes; -renewal waits for it")
	}
	process := l.process(t, l.one(t, agentComponent))
	before := l.token(t, process, azureTokenFile)
	old, err := readClaims(before)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Waiting until %s at most", time.Unix(old.Expires, 0).Format(time.TimeOnly))
	for time.Now().Unix() < old.Expires && l.token(t, process, azureTokenFile) == before {
		<-time.After(time.Second)
	}
	t.Logf("Renewed %s before the end", time.Until(time.Unix(old.Expires, 0)).Round(time.Second))
	l.renewed(t, before)
	for time.Now().Unix() <= old.Expires {
		<-time.After(time.Second)
	}
	l.vaults.RotateSigningKey() // the first token is of no use any more
	l.rotate(t)
}

func (l *life) token(t *testing.T, process linuxnode.Process, file string) string {
	t.Helper()
	text, err := os.ReadFile(process.File(file))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
