package watch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/scheme"
	"github.com/vaultpane/vaultpane/test/agents"
	"github.com/vaultpane/vaultpane/test/bench/result"
	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/fleet"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/keyvault"
)

// The vaults: each way to get certificates has its own, whose log counts the requests.
const (
	agentVault  = "shop"
	nodeVault   = "nodes"  // of the baseline in which each node polls
	leaderVault = "leader" // of the baseline in which one leader polls
)

// Compressed time.
const (
	watchInterval = 5 * time.Second // stands for a minute
	realInterval  = time.Minute     // what it stands for
)

// site is a cluster with a fleet of real agents.
type site struct {
	*result.Table
	Size
	root, dir  string
	plane      *controlplane.ControlPlane
	kube       client.Client
	vaults     *keyvault.Server
	agents     *agents.Fleet
	controller *fleet.Controller
	idle       usage // of the API server, before there were agents
}

func newSite(ctx context.Context, t *result.Table, size Size) (s *site, err error) {
	s = &site{Table: t, Size: size}
	if s.root, err = os.Getwd(); err != nil {
		return s, err
	}
	if s.dir, err = os.MkdirTemp("", "vaultpane-bench-"); err != nil {
		return s, err
	}
	s.vaults, err = keyvault.Start(keyvault.Options{Dir: filepath.Join(s.dir, "keyvault"), Vaults: []string{agentVault, nodeVault, leaderVault}})
	if err != nil {
		return s, err
	}
	if s.plane, err = controlplane.Start(ctx, controlplane.Options{}); err != nil {
		return s, err
	}
	if err := install.Everything(ctx, s.plane, s.root); err != nil {
		return s, err
	}
	types, err := scheme.New()
	if err != nil {
		return s, err
	}
	if s.kube, err = client.New(s.plane.Config(), client.Options{Scheme: types}); err != nil {
		return s, fmt.Errorf("making a client: %w", err)
	}
	s.agents, err = agents.New(ctx, s.plane, s.vaults, filepath.Join(s.dir, "stores"))
	return s, err
}

func (s *site) close() {
	s.stopController()
	if s.agents != nil {
		s.agents.Stop()
	}
	if s.plane != nil {
		_ = s.plane.Stop() // it ends with this process anyway
	}
	if s.vaults != nil {
		_ = s.vaults.Close() // likewise
	}
	_ = os.RemoveAll(s.dir) // a temporary folder
}

func (s *site) vault() *keyvault.Vault { return s.vaults.Vault(agentVault) }

// startController starts the controller; interval is that of the version watch, 0 for none. more is added to its environment.
func (s *site) startController(ctx context.Context, interval time.Duration, more ...string) (err error) {
	s.stopController()
	environment := append(more, "VAULTPANE_WATCH_EVENT_BUDGET="+strconv.Itoa(watchEvents))
	if interval > 0 {
		environment = append(environment, s.vaults.Env()...)
		environment = append(environment, "VAULTPANE_VERSION_WATCH=true", "VAULTPANE_VERSION_WATCH_INTERVAL="+interval.String(),
			"VAULTPANE_CA_BUNDLE="+s.vaults.CAFile(), "VAULTPANE_ALLOWED_VAULT_HOSTS=localhost", "VAULTPANE_DISABLE_CHALLENGE_RESOURCE_VERIFICATION=true")
	}
	s.controller, err = fleet.StartController(ctx, s.plane, s.root, s.dir, environment...)
	return err
}

func (s *site) stopController() {
	if s.controller != nil {
		_, _ = s.controller.Stop(10 * time.Second) // so that the next one need not wait until its Lease ends
		s.controller = nil
	}
}

// watchEvents is how many watch events a second status writes may cause. The default is 5,000, which a thousand nodes decode on a
// thousand machines, and this one cannot.
const watchEvents = 2000

// observe puts certificates into the vault and has the first nodes of the fleet observe them.
func (s *site) observe(ctx context.Context, nodes int, names ...string) error {
	for _, name := range names {
		if _, err := s.vault().Put(name, keyvault.CertificateOptions{KeyType: keyvault.P256}); err != nil { // RSA keys take long to make
			return err
		}
		certificate := &v1alpha1.ObservedCertificate{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: v1alpha1.ObservedCertificateSpec{
				URL: s.vault().SecretURL(name), PollingIntervalInS: int32(s.Interval / time.Second),
				NodeSelector: &v1alpha1.NodeSelector{MatchLabels: map[string]v1alpha1.LabelValue{agents.SizeLabel(nodes): ""}},
			},
		}
		if err := s.kube.Create(ctx, certificate); err != nil {
			return fmt.Errorf("creating ObservedCertificate %s: %w", name, err)
		}
	}
	return nil
}

// say tells how far the bench is.
func (s *site) say(format string, values ...any) {
	text, _ := os.ReadFile("/proc/loadavg") // only Linux has it
	load, _, _ := strings.Cut(string(text), "/")
	fmt.Printf("bench: %s; load average %s\n", fmt.Sprintf(format, values...), load)
}

// pause waits, or until the context ends.
func pause(ctx context.Context, length time.Duration) error {
	select {
	case <-time.After(length):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
