//go:build !standalone

package main

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/go-logr/logr"
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
	"github.com/vaultpane/vaultpane/controllers/agent"
	"github.com/vaultpane/vaultpane/internal/apiserver"
	"github.com/vaultpane/vaultpane/internal/heartbeat"
	"github.com/vaultpane/vaultpane/internal/scheme"
)

// stopTime is how long the manager waits for its parts. A HostProcess container is killed 5 s after the signal to stop, and no part
// needs a clean stop.
const stopTime = time.Second

// setLibraryLogger gives controller-runtime its logger. Without one it prints a warning with a stack after 30 s, whether it is used
// or not.
func setLibraryLogger(log logr.Logger) { ctrl.SetLogger(log) }

// runAgent runs an agent until the context ends. It fails at once on an unusable setting, and waits where the cause can go away.
func runAgent(ctx context.Context, o options) error {
	ctrl.Log.Info("Starting", "version", o.Version, "node", o.Node)
	kube, err := apiserver.Config(o.Kubeconfig)
	if err != nil {
		return err
	}
	mgr, err := newManager(kube, o)
	if err != nil {
		return fmt.Errorf("creating the manager: %w", err)
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

func newManager(kube *rest.Config, o options) (ctrl.Manager, error) {
	types, err := scheme.New()
	if err != nil {
		return nil, err
	}
	stop := stopTime
	return ctrl.NewManager(kube, ctrl.Options{
		Scheme:                  types,
		MapperProvider:          func(*rest.Config, *http.Client) (meta.RESTMapper, error) { return scheme.Mapper(), nil },
		Metrics:                 metricsserver.Options{BindAddress: o.MetricsAddress},
		HealthProbeBindAddress:  o.HealthAddress,
		GracefulShutdownTimeout: &stop,
		// The agent stays alive and waits, however long the API server is unreachable.
		Controller: config.Controller{CacheSyncTimeout: 365 * 24 * time.Hour},
		NewCache:   apiserver.NewCache,
		Cache: cache.Options{
			DefaultTransform: cache.TransformStripManagedFields(),
			ByObject: map[client.Object]cache.ByObject{
				&corev1.Node{}:                  {Field: fields.OneTermEqualSelector("metadata.name", o.Node)},
				&v1alpha1.ObservedCertificate{}: {Transform: slimCertificate},
				&coordinationv1.Lease{}: {Namespaces: map[string]cache.Config{
					o.Namespace: {FieldSelector: fields.OneTermEqualSelector("metadata.name", heartbeat.VersionWatch)},
				}},
			},
		},
		// Objects that only this agent writes are not cached: it remembers what it wrote. Of Leases, the cache has the version watch's.
		Client: client.Options{Cache: &client.CacheOptions{
			DisableFor: []client.Object{&v1alpha1.NodeCertificateState{}, &coordinationv1.Lease{}},
		}},
	})
}

// slimCertificate removes what an agent does not read. kubectl's annotation repeats the whole spec.
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
	certificate.Status = agent.Published(certificate.Status)
	return certificate, nil
}

func addProbes(mgr ctrl.Manager, start *startup) error {
	if err := mgr.AddHealthzCheck("alive", healthz.Ping); err != nil {
		return err
	}
	return mgr.AddReadyzCheck("ready", func(*http.Request) error { return start.waitingFor() })
}
