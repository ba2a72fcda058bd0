// Package apiserver is the connection of agent and controller to the API server.
package apiserver

import (
	"net/http"
	"net/url"
	"os"

	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
)

// withoutProxy has the API server of the pod's own cluster asked directly where HTTPS_PROXY, which is there for Key Vault, would
// capture its traffic too: the cluster's own address is rarely one that a web proxy can reach. A proxy that the kubeconfig names
// stays, and so does that of a server elsewhere. It is logged.
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
	ctrl.Log.Info("The API server is asked without the web proxy of HTTPS_PROXY; only a kubeconfig's proxy-url counts for it",
		"server", server.Host, "proxy", proxy.Host)
}
