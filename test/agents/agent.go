package agents

import (
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/agent"
	"github.com/vaultpane/vaultpane/controllers/agent/report"
	"github.com/vaultpane/vaultpane/internal/apiserver"
	"github.com/vaultpane/vaultpane/internal/certstore/directory"
	"github.com/vaultpane/vaultpane/internal/engine"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
	"github.com/vaultpane/vaultpane/internal/keyvault"
	"github.com/vaultpane/vaultpane/internal/scheme"
	"github.com/vaultpane/vaultpane/test/install"
)

// workers is how many certificates one agent processes at once: few, since all agents share this machine.
const workers = 2

// storeCheckInterval is the agent's default.
const storeCheckInterval = time.Minute

// run runs the agent of one node until the context ends.
func (f *Fleet) run(ctx context.Context, kube *rest.Config, node *corev1.Node) error {
	mgr, err := newManager(kube, f.types, node.Name)
	if err != nil {
		return fmt.Errorf("making the manager of %s: %w", node.Name, err)
	}
	if err := f.add(ctx, mgr, node); err != nil {
		return fmt.Errorf("making the agent of %s: %w", node.Name, err)
	}
	return mgr.Start(ctx)
}

// newManager is that of cmd/agent, without its HTTP servers.
func newManager(kube *rest.Config, types *runtime.Scheme, node string) (ctrl.Manager, error) {
	many, stop := true, time.Second
	return ctrl.NewManager(kube, ctrl.Options{
		Scheme: types, Logger: logr.Discard(),
		MapperProvider:          func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return scheme.Mapper(), nil },
		Metrics:                 metricsserver.Options{BindAddress: "0"},
		HealthProbeBindAddress:  "0",
		GracefulShutdownTimeout: &stop,
		Controller:              config.Controller{SkipNameValidation: &many, CacheSyncTimeout: time.Hour},
		NewCache:                apiserver.NewCache,
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				&corev1.Node{}:                  {Field: fields.OneTermEqualSelector("metadata.name", node)},
				&v1alpha1.ObservedCertificate{}: {Transform: slim},
				&coordinationv1.Lease{}: {Namespaces: map[string]cache.Config{
					install.Namespace: {FieldSelector: fields.OneTermEqualSelector("metadata.name", heartbeat.VersionWatch)},
				}},
			},
		},
		Client: client.Options{Cache: &client.CacheOptions{
			DisableFor: []client.Object{&v1alpha1.NodeCertificateState{}, &coordinationv1.Lease{}},
		}},
	})
}

// slim removes what an agent does not read from its cache.
func slim(object any) (any, error) {
	if certificate, ok := object.(*v1alpha1.ObservedCertificate); ok {
		certificate.ManagedFields, certificate.Annotations = nil, nil
		certificate.Status = agent.Published(certificate.Status)
	}
	return object, nil
}

// add connects the agent's parts, as cmd/agent does.
func (f *Fleet) add(ctx context.Context, mgr ctrl.Manager, node *corev1.Node) error {
	store, err := directory.New(filepath.Join(f.dir, node.Name))
	if err != nil {
		return err
	}
	counted := engine.NewMetrics(prometheus.NewRegistry(), "bench")
	vaults, err := keyvault.New(keyvault.Options{
		Workers: workers, RequestsPerSecond: 100, Observe: counted.KeyVaultRequest,
		AllowedHosts: []string{"localhost"}, CABundle: f.authority, DisableChallengeResourceVerification: true,
	})
	if err != nil {
		return err
	}
	reporter := &report.Reporter{Client: mgr.GetClient(), Node: node.Name, NodeUID: node.UID, AgentVersion: "bench", Now: time.Now}
	previous, err := reporter.Load(ctx)
	if err != nil {
		return err
	}
	selection := agent.Selection{Client: mgr.GetClient(), Node: node.Name}
	publications := &agent.Publications{Selection: selection, Leases: mgr.GetCache(), Now: time.Now}
	certificates := &engine.Engine{
		Certificates: selection, Publications: publications, Reports: noting{reporter, node.Name, f.note},
		Store: store, Machine: directory.Machine{}, Secrets: vaults, Metrics: counted, Now: time.Now,
		Options: engine.Options{MachineName: node.Name, Previous: previous, Started: time.Now()},
	}
	lease := &report.Lease{
		Client: mgr.GetClient(), Namespace: install.Namespace, Node: node.Name, NodeUID: node.UID, Now: time.Now,
		Overdue: certificates.OldestDue, Unwritten: reporter.Unwritten,
	}
	options := agent.Options{Workers: workers, StoreCheckInterval: storeCheckInterval}
	reconciler := agent.New(options, selection, certificates, reporter, mgr.GetEventRecorder("vaultpane-agent"))
	reconciler.Publications = publications
	if err := reconciler.SetupWithManager(mgr); err != nil {
		return err
	}
	if err := mgr.Add(reporter); err != nil {
		return err
	}
	return mgr.Add(lease)
}

// noting passes the engine's reports on, and notes each: what it says was read back from the store.
type noting struct {
	engine.Reports
	node string
	note func(node string, entry v1alpha1.CertificateEntry)
}

// Set implements engine.Reports.
func (n noting) Set(entry v1alpha1.CertificateEntry) {
	n.note(n.node, entry)
	n.Reports.Set(entry)
}
