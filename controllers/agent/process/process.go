// Package process runs the node agent: it opens the machine's store and the vault clients, waits for the API server, and
// adds the reconciler to a manager. What an agent is made of is decided here, and nothing else.
package process

import (
	"context"
	"fmt"
	"net/http"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/controllers/apiserver"
	"github.com/vaultpane/vaultpane/controllers/kinds"
)

// stopTime is how long the manager waits for its parts. A HostProcess container is killed 5 s after it was told to stop,
// and nothing here needs a clean end.
const stopTime = time.Second

// Settings are an agent's settings.
type Settings struct {
	// Version is the agent's version.
	Version string
	// Node is the name of the Node it runs on, Namespace that of the agents' Leases.
	Node, Namespace string
	// Kubeconfig is the file to reach the API server with; empty for KUBECONFIG, else the pod's service account.
	Kubeconfig string
	// StorePath is the folder of the directory store; unused on Windows.
	StorePath string
	// Workers is how many certificates are handled at the same time.
	Workers int
	// InitialSpread is the time over which the first polls are spread.
	InitialSpread time.Duration
	// StoreCheckInterval is the time between two checks of the store.
	StoreCheckInterval time.Duration
	// Credential is how the agent proves who it is to Azure, one of Credentials; empty for the default.
	Credential string
	// AuthorityHost is the URL of the token authority of all vaults, empty for the one of the vault's cloud.
	AuthorityHost string
	// VaultRequestsPerSecond bounds the requests to each vault, counted over ten seconds; 0 for no bound.
	VaultRequestsPerSecond int
	// AllowedVaultHosts are allowed beside Azure's Key Vault domains.
	AllowedVaultHosts []string
	// CABundle is a PEM file of certificates to trust for Key Vault and the token service, empty for none.
	CABundle string
	// DisableChallengeResourceVerification are the hosts whose challenge may name Azure's Key Vault though they are not of its
	// domain: host, host:port or .suffix, host=https://resource for another resource; "true" for all AllowedVaultHosts.
	DisableChallengeResourceVerification []string
	// MetricsAddress and HealthAddress are the addresses to listen on, "0" for none.
	MetricsAddress, HealthAddress string
}

// Run runs an agent until the context ends. It fails at once on an unusable setting and on nothing that time can mend.
func Run(ctx context.Context, o Settings) error {
	ctrl.Log.Info("Starting", "version", o.Version, "node", o.Node)
	kube, err := apiserver.Config(o.Kubeconfig)
	if err != nil {
		return err
	}
	mgr, err := newManager(kube, o)
	if err != nil {
		return fmt.Errorf("making the manager: %w", err)
	}
	start, err := newStartup(mgr, kube.Host, o)
	if err != nil {
		return err
	}
	if err := addProbes(mgr, start); err != nil {
		return fmt.Errorf("adding the probes: %w", err)
	}
	if err := mgr.Add(start); err != nil {
		return fmt.Errorf("adding the start-up: %w", err)
	}
	return mgr.Start(ctx)
}

func newManager(kube *rest.Config, o Settings) (ctrl.Manager, error) {
	scheme, err := kinds.Scheme()
	if err != nil {
		return nil, err
	}
	stop := stopTime
	return ctrl.NewManager(kube, ctrl.Options{
		Scheme:                  scheme,
		MapperProvider:          func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return kinds.Mapper(), nil },
		Metrics:                 metricsserver.Options{BindAddress: o.MetricsAddress},
		HealthProbeBindAddress:  o.HealthAddress,
		GracefulShutdownTimeout: &stop,
		// The API server may be away for as long as it likes: the agent stays alive and waits.
		Controller: config.Controller{CacheSyncTimeout: 365 * 24 * time.Hour},
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				&corev1.Node{}:                  {Field: fields.OneTermEqualSelector("metadata.name", o.Node)},
				&v1alpha1.ObservedCertificate{}: {Transform: slimCertificate},
			},
		},
		// What this agent alone writes is not cached: it remembers what it wrote.
		Client: client.Options{Cache: &client.CacheOptions{
			DisableFor: []client.Object{&v1alpha1.NodeCertificateState{}, &coordinationv1.Lease{}},
		}},
	})
}

// slimCertificate leaves out what an agent does not look at: of the annotations, kubectl's holds the whole spec once more.
func slimCertificate(object any) (any, error) {
	certificate, ok := object.(*v1alpha1.ObservedCertificate)
	if !ok {
		return object, nil // a tombstone
	}
	requested := certificate.Annotations[v1alpha1.RequestedAtAnnotation]
	certificate.ManagedFields, certificate.Annotations = nil, nil
	if requested != "" {
		certificate.Annotations = map[string]string{v1alpha1.RequestedAtAnnotation: requested}
	}
	certificate.Status = v1alpha1.ObservedCertificateStatus{}
	return certificate, nil
}

func addProbes(mgr ctrl.Manager, start *startup) error {
	if err := mgr.AddHealthzCheck("alive", healthz.Ping); err != nil {
		return err
	}
	return mgr.AddReadyzCheck("working", func(*http.Request) error { return start.waitingFor() })
}
