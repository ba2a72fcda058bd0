package apiserver

import (
	"net/http"
	"net/url"
	"testing"

	"k8s.io/client-go/rest"
)

func TestTheWebProxyIsBypassed(t *testing.T) {
	proxy, named := &url.URL{Scheme: "http", Host: "proxy.example:3128"}, &url.URL{Scheme: "http", Host: "kube-proxy.example:8080"}
	tests := []struct {
		name        string
		cluster     string   // the pod's own API server
		kubeconfig  *url.URL // its proxy-url
		environment *url.URL
		want        string
	}{
		{"HTTPS_PROXY would capture it", "10.0.0.1", nil, proxy, "none"},
		{"no HTTPS_PROXY", "10.0.0.1", nil, nil, "the environment's"},
		{"a server elsewhere, which the proxy may have to reach", "10.9.9.9", nil, proxy, "the environment's"},
		{"the kubeconfig names a proxy", "10.0.0.1", named, proxy, named.Host},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("KUBERNETES_SERVICE_HOST", test.cluster)
			config := &rest.Config{Host: "https://10.0.0.1:443"}
			if test.kubeconfig != nil {
				config.Proxy = http.ProxyURL(test.kubeconfig)
			}
			asked := ""
			withoutProxy(config, func(request *http.Request) (*url.URL, error) {
				asked = request.URL.Host
				return test.environment, nil
			})
			got := "the environment's"
			if config.Proxy != nil {
				got = "none"
				chosen, err := config.Proxy(&http.Request{URL: &url.URL{Scheme: "https", Host: "10.0.0.1:443"}})
				if err != nil {
					t.Fatal(err)
				}
				if chosen != nil {
					got = chosen.Host
				}
			}
			if got != test.want {
				t.Errorf("got the proxy %s, want %s", got, test.want)
			}
			if test.kubeconfig == nil && test.cluster == "10.0.0.1" && asked != "10.0.0.1:443" {
				t.Errorf("looked for the proxy of %q", asked)
			}
		})
	}
}
