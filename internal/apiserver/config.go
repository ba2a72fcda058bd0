package apiserver

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/internal/podfile"
)

// serviceAccount is where kubelet mounts the token of a pod and the API server's authority
// (https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/).
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/"

// Config returns the connection to the API server from the file at path, from KUBECONFIG, or from the pod's service account, whose
// files client-go looks for in one place only. Requests to the API server of the pod's own cluster bypass a web proxy.
func Config(path string) (*rest.Config, error) {
	config, err := read(path)
	if err != nil {
		return nil, fmt.Errorf("configuring the connection to the API server: %w", err)
	}
	withoutProxy(config, http.ProxyFromEnvironment)
	return config, nil
}

func read(path string) (*rest.Config, error) {
	switch {
	case path != "":
		found, err := podfile.Find(path)
		if err != nil {
			return nil, fmt.Errorf("the file of --kubeconfig does not exist: %w", err)
		}
		return clientcmd.BuildConfigFromFlags("", found)
	case os.Getenv(clientcmd.RecommendedConfigPathEnvVar) == "" && os.Getenv("KUBERNETES_SERVICE_HOST") != "":
		return serviceAccountConfig(serviceAccount)
	}
	config, err := ctrl.GetConfig()
	if clientcmd.IsEmptyConfig(err) { // client-go names a variable that is not read here
		return nil, errors.New("not running in a pod, and no kubeconfig is set: set --kubeconfig or KUBECONFIG")
	}
	return config, err
}

func serviceAccountConfig(folder string) (*rest.Config, error) {
	token, err := podfile.Find(folder + "token")
	if err != nil {
		return nil, fmt.Errorf("finding the token of the pod's service account: %w", err)
	}
	authority, err := podfile.Find(folder + "ca.crt")
	if err != nil {
		return nil, fmt.Errorf("finding the authority of the API server: %w", err)
	}
	return &rest.Config{
		Host:            "https://" + net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")),
		BearerTokenFile: token, // read again as kubelet renews it
		TLSClientConfig: rest.TLSClientConfig{CAFile: authority},
	}, nil
}
