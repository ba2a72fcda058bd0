package process

import (
	"fmt"
	"net"
	"os"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/controllers/apiserver"
	"github.com/vaultpane/vaultpane/controllers/internal/mounted"
)

// serviceAccount is where kubelet mounts the token of a pod and the API server's authority
// (https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/).
const serviceAccount = "/var/run/secrets/kubernetes.io/serviceaccount/"

// kubeConfig is the connection to the API server: the file that the settings name, KUBECONFIG's, or the pod's service account,
// whose files client-go looks for at one place only.
func kubeConfig(path string) (*rest.Config, error) {
	config, err := readKubeConfig(path)
	if err != nil {
		return nil, err
	}
	apiserver.WithoutWebProxy(config)
	return config, nil
}

func readKubeConfig(path string) (*rest.Config, error) {
	switch {
	case path != "":
		found, err := mounted.Find(path)
		if err != nil {
			return nil, fmt.Errorf("reading --kubeconfig: %w", err)
		}
		return clientcmd.BuildConfigFromFlags("", found)
	case os.Getenv(clientcmd.RecommendedConfigPathEnvVar) == "" && os.Getenv("KUBERNETES_SERVICE_HOST") != "":
		return serviceAccountConfig(serviceAccount)
	}
	return ctrl.GetConfig()
}

func serviceAccountConfig(folder string) (*rest.Config, error) {
	token, err := mounted.Find(folder + "token")
	if err != nil {
		return nil, fmt.Errorf("finding the token of the pod's service account: %w", err)
	}
	authority, err := mounted.Find(folder + "ca.crt")
	if err != nil {
		return nil, fmt.Errorf("finding the authority of the API server: %w", err)
	}
	return &rest.Config{
		Host:            "https://" + net.JoinHostPort(os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")),
		BearerTokenFile: token, // read again as kubelet renews it
		TLSClientConfig: rest.TLSClientConfig{CAFile: authority},
	}, nil
}
