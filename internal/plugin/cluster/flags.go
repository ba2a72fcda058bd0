// Package cluster is how the commands of kubectl vaultpane reach a cluster: the standard flags of kubectl, and a small client.
//
// The client is client-go's REST client with objects as plain JSON. A client with registered types of its own would make the program
// 35.6 MB large instead of 24.9 MB (docs/dependencies.md).
package cluster

import (
	"fmt"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// Flags are kubectl's flags that choose a cluster, a user and a namespace: --kubeconfig, --context, --namespace, --server,
// --request-timeout and so on, with the same meaning. Without them, $KUBECONFIG and ~/.kube/config are used, then the service
// account of the pod.
type Flags struct {
	rules     *clientcmd.ClientConfigLoadingRules
	overrides *clientcmd.ConfigOverrides
}

// AddFlags adds the flags to a set and returns their values.
func AddFlags(set *pflag.FlagSet) *Flags {
	f := &Flags{rules: clientcmd.NewDefaultClientConfigLoadingRules(), overrides: &clientcmd.ConfigOverrides{}}
	set.StringVar(&f.rules.ExplicitPath, "kubeconfig", "", "path of the kubeconfig file")
	names := clientcmd.RecommendedConfigOverrideFlags("")
	clientcmd.BindOverrideFlags(f.overrides, set, names)
	return f
}

// Config returns what a client needs to connect.
func (f *Flags) Config() (*rest.Config, error) {
	config, err := f.clientConfig().ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the kubeconfig: %w", err)
	}
	if config.Timeout == 0 {
		config.Timeout = time.Minute
	}
	config.QPS, config.Burst = -1, -1 // one command of a person; the API server's own fairness applies
	config.UserAgent = "kubectl-vaultpane"
	return config, nil
}

// Namespace returns the namespace that the flags or the kubeconfig's context name, and whether one of them does.
func (f *Flags) Namespace() (name string, named bool, err error) {
	name, named, err = f.clientConfig().Namespace()
	return name, named || name != "default", err
}

// Context returns the name of the kubeconfig's context, for messages. It is empty inside a pod.
func (f *Flags) Context() string {
	if f.overrides.CurrentContext != "" {
		return f.overrides.CurrentContext
	}
	raw, err := f.clientConfig().RawConfig()
	if err != nil {
		return ""
	}
	return raw.CurrentContext
}

func (f *Flags) clientConfig() clientcmd.ClientConfig {
	return clientcmd.NewNonInteractiveDeferredLoadingClientConfig(f.rules, f.overrides)
}
