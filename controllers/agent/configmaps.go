package agent

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
)

// ConfigMaps reads ConfigMaps with certificates of authorities, and watches those that a certificate of this node names: one watch for
// each, of its metadata only, in the agents' namespace. It implements engine.ConfigMaps.
type ConfigMaps struct {
	// Client reads and watches without a cache, so that an agent keeps no content.
	Client client.WithWatch
	// InNamespace is the agents' namespace.
	InNamespace string
	// Spread is the time over which the nodes read a ConfigMap that changed: all of them see that at the same moment. Zero for at once.
	Spread time.Duration

	process func(ctx context.Context, name string) // has a certificate processed

	mu      sync.Mutex
	watches map[string]*watched // by the ConfigMap's name
	names   map[string]string   // of the ConfigMap, by certificate
}

// watched is a ConfigMap that certificates of this node name.
type watched struct {
	users    map[string]bool // certificates
	revision string          // empty until it is known
	stop     context.CancelFunc
	running  bool
}

// Revisions that are no resource version.
const (
	revisionAbsent = "absent" // it does not exist
	revisionDenied = "denied" // the agents may not read it
)

// laterMin and laterSpread are how long an agent waits for an API server that does not answer: thousands of them begin to wait at the
// same time.
const (
	laterMin    = 10 * time.Second
	laterSpread = 20 * time.Second
)

// NewConfigMaps returns those of a namespace, with a manager's connection.
func NewConfigMaps(mgr ctrl.Manager, namespace string) (*ConfigMaps, error) {
	live, err := client.NewWithWatch(mgr.GetConfig(), client.Options{HTTPClient: mgr.GetHTTPClient(), Scheme: mgr.GetScheme(), Mapper: mgr.GetRESTMapper()})
	if err != nil {
		return nil, fmt.Errorf("creating the client for ConfigMaps: %w", err)
	}
	return &ConfigMaps{Client: live, InNamespace: namespace}, nil
}

// Namespace implements engine.ConfigMaps.
func (c *ConfigMaps) Namespace() string { return c.InNamespace }

// Get implements engine.ConfigMaps.
func (c *ConfigMaps) Get(ctx context.Context, name, key string) (content []byte, revision string, err error) {
	var configMap corev1.ConfigMap
	err = c.Client.Get(unlogged(ctx), types.NamespacedName{Namespace: c.InNamespace, Name: name}, &configMap)
	switch {
	case apierrors.IsForbidden(err):
		return nil, revisionDenied, &failure.ConfigMap{Reason: v1alpha1.ReasonConfigMapNotAllowed, Message: fmt.Sprintf(
			"the agents may not read the ConfigMap %s/%s: add %s to trust.configMaps of the chart (without the chart: to resourceNames of the Role vaultpane-agent-trust)", c.InNamespace, name, name)}
	case apierrors.IsNotFound(err):
		c.watch(name)
		return nil, revisionAbsent, &failure.ConfigMap{Reason: v1alpha1.ReasonConfigMapNotFound, Message: fmt.Sprintf(
			"the ConfigMap %s/%s does not exist; the certificates that were installed from it stay", c.InNamespace, name)}
	case err != nil:
		wait := laterMin + rand.N(laterSpread)
		ctrl.LoggerFrom(ctx).V(1).Info("Cannot read the ConfigMap; trying again", "configMap", name, "cause", err.Error(), "after", wait)
		return nil, "", &failure.Later{After: wait, Err: fmt.Errorf("reading the ConfigMap %s: %w", name, err)}
	}
	c.watch(name)
	content, found := take(&configMap, key)
	if !found {
		return nil, configMap.ResourceVersion, &failure.ConfigMap{Reason: v1alpha1.ReasonConfigMapNotFound, Message: fmt.Sprintf(
			"the ConfigMap %s/%s has no key %s (it has %s); the certificates that were installed from it stay", c.InNamespace, name, key, keysOf(&configMap))}
	}
	return content, configMap.ResourceVersion, nil
}

// unlogged returns a context whose requests are not logged: client-go logs bodies at level 8, and one may contain a private key.
func unlogged(ctx context.Context) context.Context { return ctrl.LoggerInto(ctx, logr.Discard()) }

// take returns the content of a key, and overwrites what else the ConfigMap has as bytes.
func take(configMap *corev1.ConfigMap, key string) (content []byte, found bool) {
	for name, binary := range configMap.BinaryData {
		if name == key {
			content, found = binary, true
			continue
		}
		clear(binary)
	}
	if text, ok := configMap.Data[key]; ok {
		return []byte(text), true
	}
	return content, found
}

// keysOf lists keys for a message, the first few.
func keysOf(configMap *corev1.ConfigMap) string {
	keys := sortedKeys(configMap.Data, configMap.BinaryData)
	const most = 5
	switch {
	case len(keys) == 0:
		return "none"
	case len(keys) > most:
		return strings.Join(keys[:most], ", ") + ", ..."
	}
	return strings.Join(keys, ", ")
}

// Revision implements engine.ConfigMaps.
func (c *ConfigMaps) Revision(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one := c.watches[name]; one != nil {
		return one.revision
	}
	return ""
}

// Follow says which ConfigMap a certificate of this node names, empty for none. A ConfigMap is watched while a certificate names it.
func (c *ConfigMaps) Follow(certificate, configMap string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before := c.names[certificate]
	if before == configMap {
		return
	}
	if one := c.watches[before]; one != nil {
		delete(one.users, certificate)
		if len(one.users) == 0 {
			one.stop()
			delete(c.watches, before)
		}
	}
	delete(c.names, certificate)
	if configMap == "" {
		return
	}
	if c.names == nil {
		c.names, c.watches = map[string]string{}, map[string]*watched{}
	}
	c.names[certificate] = configMap
	one := c.watches[configMap]
	if one == nil {
		one = &watched{users: map[string]bool{}}
		c.watches[configMap] = one
		c.start(configMap, one)
	}
	one.users[certificate] = true
}

// watch watches a ConfigMap again that could not be watched before.
func (c *ConfigMaps) watch(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if one := c.watches[name]; one != nil && !one.running {
		c.start(name, one)
	}
}

// Start implements manager.Runnable: it ends the watches with the manager.
func (c *ConfigMaps) Start(ctx context.Context) error {
	<-ctx.Done()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, one := range c.watches {
		one.stop()
	}
	return nil
}
