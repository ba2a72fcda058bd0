package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/internal/ports"
	"github.com/vaultpane/vaultpane/test/keyvault"
	"github.com/vaultpane/vaultpane/test/node"
)

// confessor is a node whose agent says as much as it can, and everything that it has said.
type confessor struct {
	name, dir, metrics string
	misfortunes        []misfortune
	server             *keyvault.Server
	machine            *node.Machine
	agent              *node.Process
}

// Whatever happens, at the highest level and with the SDK's own log switched on, nothing that leaves the agent's process
// holds a key, a token, or what an identity proves itself with.
func TestNothingSecretLeavesTheProcess(t *testing.T) {
	t.Run("with a client secret", func(t *testing.T) {
		c := newConfessor(t, "confessor-secret", ofOneIdentity(misfortunes()))
		c.confess(t, c.server.Env())
	})
	t.Run("with federated tokens", func(t *testing.T) {
		c := newConfessor(t, "confessor-federated", misfortunes())
		file := filepath.Join(c.dir, "token")
		identity := c.server.EnvFederated(file)
		for i, variable := range identity {
			identity[i] = strings.Replace(variable, file, c.machine.Path(file), 1)
		}
		c.confess(t, identity)
	})
}

func (c *confessor) confess(t *testing.T, identity []string) {
	t.Helper()
	if err := strike(c.server, c.misfortunes); err != nil {
		t.Fatal(err)
	}
	c.start(t, identity)
	for _, one := range c.misfortunes {
		the.wish(t, c.name+"-"+one.name, "", one.wanted(c.server, c.name))
	}
	c.waits(t)
	c.checkTold(t)
}

func newConfessor(t *testing.T, name string, all []misfortune) *confessor {
	t.Helper()
	metrics, err := ports.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	c := &confessor{name: name, dir: t.TempDir(), metrics: metrics, misfortunes: all}
	var vaults []string
	for _, one := range all {
		vaults = append(vaults, one.name)
	}
	if c.server, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(c.dir, "keyvault"), Vaults: vaults}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.server.Close() }) // it is the test's last
	if c.machine, err = node.NewMachine(t.Context(), the.kind, the.machine.Root, filepath.Join(c.dir, "machine")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.machine.Close)
	object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name}}}
	if err := the.client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	if err := install.WriteAgentKubeconfig(t.Context(), the.cluster, c.kubeconfig(), name); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *confessor) kubeconfig() string { return filepath.Join(c.dir, "agent.kubeconfig") }

func (c *confessor) log() string { return filepath.Join(c.dir, "agent.log") }

func (c *confessor) start(t *testing.T, identity []string) {
	t.Helper()
	var err error
	c.agent, err = c.machine.Start(c.log(), slices.Concat(identity, c.machine.AgentSettings(c.name, c.kubeconfig(), c.server.CAFile()),
		[]string{"VAULTPANE_INITIAL_SPREAD=0s", "VAULTPANE_METRICS_BIND_ADDRESS=" + c.metrics, "VAULTPANE_LOG_LEVEL=10", "AZURE_SDK_GO_LOGGING=all"}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.agent.Kill)
}

// waits until everyone's lot is reported.
func (c *confessor) waits(t *testing.T) {
	t.Helper()
	await.That(t, "every certificate is reported", func() (bool, error) {
		var state v1alpha1.NodeCertificateState
		if err := the.client.Get(t.Context(), client.ObjectKey{Name: c.name}, &state); err != nil {
			return false, err
		}
		entries := map[string]v1alpha1.CertificateEntry{}
		for _, entry := range state.Certificates {
			entries[entry.Name] = entry
		}
		for _, one := range c.misfortunes {
			entry := entries[c.name+"-"+one.name]
			if arrived := entry.Thumbprint != ""; arrived != one.luck || (!arrived && (entry.Reason == "" || entry.Reason == v1alpha1.ReasonPending)) {
				return false, fmt.Errorf("%s: the node reports %+v", one.name, entry)
			}
		}
		return true, nil
	})
}

// checkTold looks through everything that has left the process.
func (c *confessor) checkTold(t *testing.T) {
	t.Helper()
	told := c.everythingTold(t)
	if !strings.Contains(told, "vaultpane_polls_total") || !strings.Contains(told, "ForbiddenByRbac") || !strings.Contains(told, "==> REQUEST/RESPONSE") {
		t.Fatalf("what was told is not where this test looks for it: %d bytes", len(told))
	}
	var values []string
	for _, one := range c.misfortunes {
		values = append(values, c.server.Vault(one.name).Values()...)
	}
	forms := append(secretForms(t, values), tokenForms(c.server.Secrets())...)
	for _, form := range forms {
		if at := strings.Index(told, form); at >= 0 { // the first says enough
			t.Fatalf("%q was told: %q", form, told[max(0, at-200):at+len(form)])
		}
	}
	t.Logf("%d bytes were told; none of %d pieces of %d secrets and their keys, and of tokens, is among them", len(told), len(forms), len(values))
}

// everythingTold is what the agent wrote to its output, its metrics, and the API server.
func (c *confessor) everythingTold(t *testing.T) string {
	t.Helper()
	output, err := os.ReadFile(c.log())
	if err != nil {
		t.Fatal(err)
	}
	told := []string{string(output), c.scrape(t)}
	for _, list := range []client.ObjectList{&v1alpha1.NodeCertificateStateList{}, &eventsv1.EventList{}} {
		if err := the.client.List(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		encoded, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		told = append(told, string(encoded))
	}
	listed, err := c.machine.Table(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append(told, listed), "\n")
}

func (c *confessor) scrape(t *testing.T) string {
	t.Helper()
	response, err := http.Get("http://" + c.metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }() // it was read to its end
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
