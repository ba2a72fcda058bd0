// Package apiserver is the connection of agent and controller to the API server.
package apiserver

import (
	"net/http"
	"net/url"
	"os"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
)

// withoutProxy bypasses HTTPS_PROXY, which is set for Key Vault, for the API server of the pod's own cluster: a web proxy can
// rarely reach the cluster's own address. A proxy in the kubeconfig is kept, and so is the proxy for a server elsewhere. It is
// logged.
func withoutProxy(config *rest.Config, fromEnvironment func(*http.Request) (*url.URL, error)) {
	server, _, err := rest.DefaultServerUrlFor(config)
	if err != nil || config.Proxy != nil || server.Hostname() != os.Getenv("KUBERNETES_SERVICE_HOST") {
		return // the manager says what is wrong with the address
	}
	proxy, err := fromEnvironment(&http.Request{URL: server})
	if err != nil || proxy == nil {
		return
	}
	config.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	ctrl.Log.Info("Requests to the API server bypass HTTPS_PROXY; set proxy-url in the kubeconfig to use a proxy",
		"server", server.Host, "proxy", proxy.Host)
}
