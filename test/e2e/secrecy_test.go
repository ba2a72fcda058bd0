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

// leakTest is a node whose agent logs as much as it can, with all its output.
type leakTest struct {
	name, dir, metrics string
	outages            []outage
	server             *keyvault.Server
	machine            *node.Machine
	agent              *node.Process
}

// Whatever happens, at the highest level and with the SDK's own log switched on, nothing that leaves the agent's process
// holds a key, a token, or what an identity proves itself with.
func TestNothingSecretLeavesTheProcess(t *testing.T) {
	t.Run("with a client secret", func(t *testing.T) {
		c := newLeakTest(t, "leak-test-secret", ofOneIdentity(outages()))
		c.run(t, c.server.Env())
	})
	t.Run("with federated tokens", func(t *testing.T) {
		c := newLeakTest(t, "leak-test-federated", outages())
		file := filepath.Join(c.dir, "token")
		identity := c.server.EnvFederated(file)
		for i, variable := range identity {
			identity[i] = strings.Replace(variable, file, c.machine.Path(file), 1)
		}
		c.run(t, identity)
	})
}

func (c *leakTest) run(t *testing.T, identity []string) {
	t.Helper()
	if err := cause(c.server, c.outages); err != nil {
		t.Fatal(err)
	}
	c.start(t, identity)
	for _, one := range c.outages {
		env.create(t, c.name+"-"+one.name, "", one.spec(c.server, c.name))
	}
	c.waits(t)
	c.checkOutput(t)
}

func newLeakTest(t *testing.T, name string, all []outage) *leakTest {
	t.Helper()
	metrics, err := ports.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	c := &leakTest{name: name, dir: t.TempDir(), metrics: metrics, outages: all}
	var vaults []string
	for _, one := range all {
		vaults = append(vaults, one.name)
	}
	if c.server, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(c.dir, "keyvault"), Vaults: vaults}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.server.Close() }) // it is the test's last
	if c.machine, err = node.NewMachine(t.Context(), env.kind, env.machine.Root, filepath.Join(c.dir, "machine")); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.machine.Close)
	object := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"kubernetes.io/hostname": name}}}
	if err := env.client.Create(t.Context(), object); err != nil {
		t.Fatal(err)
	}
	if err := install.WriteAgentKubeconfig(t.Context(), env.cluster, c.kubeconfig(), name); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *leakTest) kubeconfig() string { return filepath.Join(c.dir, "agent.kubeconfig") }

func (c *leakTest) log() string { return filepath.Join(c.dir, "agent.log") }

func (c *leakTest) start(t *testing.T, identity []string) {
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
func (c *leakTest) waits(t *testing.T) {
	t.Helper()
	await.That(t, "every certificate is reported", func() (bool, error) {
		var state v1alpha1.NodeCertificateState
		if err := env.client.Get(t.Context(), client.ObjectKey{Name: c.name}, &state); err != nil {
			return false, err
		}
		entries := map[string]v1alpha1.CertificateEntry{}
		for _, entry := range state.Certificates {
			entries[entry.Name] = entry
		}
		for _, one := range c.outages {
			entry := entries[c.name+"-"+one.name]
			if arrived := entry.Thumbprint != ""; arrived != one.arrives || (!arrived && (entry.Reason == "" || entry.Reason == v1alpha1.ReasonPending)) {
				return false, fmt.Errorf("%s: the node reports %+v", one.name, entry)
			}
		}
		return true, nil
	})
}

// checkOutput looks through everything that has left the process.
func (c *leakTest) checkOutput(t *testing.T) {
	t.Helper()
	output := c.allOutput(t)
	if !strings.Contains(output, "vaultpane_polls_total") || !strings.Contains(output, "ForbiddenByRbac") || !strings.Contains(output, "==> REQUEST/RESPONSE") {
		t.Fatalf("the output is not where this test looks for it: %d bytes", len(output))
	}
	var values []string
	for _, one := range c.outages {
		values = append(values, c.server.Vault(one.name).Values()...)
	}
	forms := append(secretForms(t, values), tokenForms(c.server.Secrets())...)
	for _, form := range forms {
		if at := strings.Index(output, form); at >= 0 { // the first is enough
			t.Fatalf("%q was written: %q", form, output[max(0, at-200):at+len(form)])
		}
	}
	t.Logf("%d bytes were written; none of %d pieces of %d secrets and their keys, and of tokens, is among them", len(output), len(forms), len(values))
}

// allOutput is what the agent wrote to its output, its metrics, and the API server.
func (c *leakTest) allOutput(t *testing.T) string {
	t.Helper()
	output, err := os.ReadFile(c.log())
	if err != nil {
		t.Fatal(err)
	}
	all := []string{string(output), c.scrape(t)}
	for _, list := range []client.ObjectList{&v1alpha1.NodeCertificateStateList{}, &eventsv1.EventList{}} {
		if err := env.client.List(t.Context(), list); err != nil {
			t.Fatal(err)
		}
		encoded, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(encoded))
	}
	listed, err := c.machine.Table(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append(all, listed), "\n")
}

func (c *leakTest) scrape(t *testing.T) string {
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
