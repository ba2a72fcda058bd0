package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/scheme"
	"github.com/vaultpane/vaultpane/test/await"
	"github.com/vaultpane/vaultpane/test/controlplane"
	gridtest "github.com/vaultpane/vaultpane/test/eventgrid"
	"github.com/vaultpane/vaultpane/test/install"
	vaulttest "github.com/vaultpane/vaultpane/test/keyvault"
)

// asController has a process of this test run as a controller with these arguments, separated by spaces.
const asController = "TEST_CONTROLLER_ARGUMENTS"

// With an interval of a day, a version that is made later is published only because an event said so. The leader is killed, and the
// replica that takes over receives the events that follow.
func TestEventsPublishNewVersionsWhicheverReplicaLeads(t *testing.T) {
	if arguments := os.Getenv(asController); arguments != "" {
		go func() { // ends with the test, however that ends
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
		if err := run(strings.Split(arguments, " "), os.Stdout, os.Stderr); err != nil {
			t.Fatal(err)
		}
		return
	}
	controlplane.SkipWithout(t)
	t.Parallel()
	p := newPush(t)
	p.rotate(t)
	leader := p.start(t)
	p.publishes(t, p.versions()) // by the first list
	for range 3 {
		p.rotate(t)
		took := p.publishes(t, p.versions())
		t.Logf("a new version was published after %s", took.Round(10*time.Millisecond))
	}

	standby := p.start(t)
	await.That(t, "the second replica waits to lead", func() (bool, error) { return standby.says("Attempting to acquire leader lease"), nil })
	_ = leader.command.Process.Kill()
	p.rotate(t) // meanwhile
	await.That(t, "the second replica receives events", func() (bool, error) { return standby.says("Receiving events of Key Vault"), nil })
	p.publishes(t, p.versions())
	p.rotate(t)
	took := p.publishes(t, p.versions())
	t.Logf("after the change of leader a new version was published after %s", took.Round(10*time.Millisecond))
	await.That(t, "all events are acknowledged", func() (bool, error) { return p.grid.Stats().Pending == 0, nil })
}

// push is a cluster with a vault whose events go to a namespace, and one certificate.
type push struct {
	vaults     *vaulttest.Server
	grid       *gridtest.Server
	kube       client.Client // the administrator's
	kubeconfig string        // the controllers'
}

const pushed = "web"

func newPush(t *testing.T) *push {
	t.Helper()
	plane := controlplane.ForTest(t)
	ctx, cancel := context.WithTimeout(t.Context(), await.Limit)
	defer cancel()
	p := &push{vaults: vaulttest.ForTest(t, "shop"), kubeconfig: filepath.Join(t.TempDir(), "kubeconfig")}
	p.grid = gridtest.ForTest(t, gridtest.Options{Vaults: p.vaults, Follow: true, LockDuration: 5 * time.Second})
	if err := install.Everything(ctx, plane, filepath.Join("..", "..")); err != nil {
		t.Fatal(err)
	}
	if err := install.WriteControllerKubeconfig(ctx, plane, p.kubeconfig); err != nil {
		t.Fatal(err)
	}
	types, err := scheme.New()
	if err != nil {
		t.Fatal(err)
	}
	if p.kube, err = client.New(plane.Config(), client.Options{Scheme: types}); err != nil {
		t.Fatal(err)
	}
	certificate := &v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: pushed}, Spec: v1alpha1.ObservedCertificateSpec{URL: p.vault().SecretURL(pushed)},
	}
	if err := p.kube.Create(ctx, certificate); err != nil {
		t.Fatal(err)
	}
	return p
}

func (p *push) vault() *vaulttest.Vault { return p.vaults.Vault("shop") }

func (p *push) rotate(t *testing.T) {
	t.Helper()
	if _, err := p.vault().Put(pushed, vaulttest.CertificateOptions{KeyType: vaulttest.P256}); err != nil {
		t.Fatal(err)
	}
}

func (p *push) versions() []string { return p.vault().Versions(pushed) }

// publishes waits until the last version is in the status, and returns how long that took.
func (p *push) publishes(t *testing.T, versions []string) time.Duration {
	t.Helper()
	began, want := time.Now(), versions[len(versions)-1]
	await.That(t, "the status has the latest version", func() (bool, error) {
		var certificate v1alpha1.ObservedCertificate
		if err := p.kube.Get(t.Context(), client.ObjectKey{Name: pushed}, &certificate); err != nil {
			return false, err
		}
		if latest := certificate.Status.LatestVersion; latest == nil || latest.Version != want {
			return false, fmt.Errorf("it has %v, want %s", latest, want)
		}
		return true, nil
	})
	return time.Since(began)
}

// replica is a controller as a process.
type replica struct {
	command *exec.Cmd

	mu  sync.Mutex
	log bytes.Buffer
}

// Write takes the log.
func (r *replica) Write(text []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.log.Write(text)
}

func (r *replica) says(text string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Contains(r.log.String(), text)
}

// start starts a replica that ends with the test.
func (p *push) start(t *testing.T) *replica {
	t.Helper()
	r := &replica{command: exec.Command(os.Args[0], "-test.run=^TestEventsPublishNewVersionsWhicheverReplicaLeads$")}
	r.command.Env = append(append(os.Environ(), p.vaults.Env()...), asController+"="+strings.Join([]string{
		"--kubeconfig", p.kubeconfig, "--namespace", install.Namespace, "--metrics-bind-address=0", "--health-probe-bind-address=0",
		"--version-watch", "--version-watch-interval=24h", "--allowed-vault-hosts=localhost", "--disable-challenge-resource-verification",
		"--ca-bundle", p.vaults.CAFile(), "--log-level=1",
		"--event-grid-endpoint", p.grid.Endpoint(), "--event-grid-topic", p.grid.Topic(), "--event-grid-subscription", p.grid.Subscription(),
	}, " "))
	r.command.Stdout, r.command.Stderr = r, r
	if _, err := r.command.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := r.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.command.Process.Kill()
		_ = r.command.Wait() // it was killed
		if t.Failed() {
			r.mu.Lock()
			defer r.mu.Unlock()
			t.Logf("the log of a replica:\n%s", r.log.String())
		}
	})
	return r
}
