package controlplane

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/vaultpane/vaultpane/test/internal/ports"
)

// Config is the administrator's. The caller may change it. Client-side limits are out of a test's way.
func (c *ControlPlane) Config() *rest.Config { return rest.CopyConfig(c.admin) }

// UserConfig is a client of the given name and groups, with a certificate of its own. It has no rights but what RBAC
// gives to these. A service account's name is system:serviceaccount:NAMESPACE:NAME and its groups are
// system:serviceaccounts and system:serviceaccounts:NAMESPACE; system:authenticated needs no mention.
func (c *ControlPlane) UserConfig(name string, groups ...string) (*rest.Config, error) {
	if name == "" {
		return nil, errors.New("making a user: it has no name")
	}
	user, err := c.authority.user(name, groups)
	if err != nil {
		return nil, fmt.Errorf("making the user %s: %w", name, err)
	}
	return &rest.Config{
		Host: "https://" + ports.Address(c.port),
		TLSClientConfig: rest.TLSClientConfig{
			CAData:   c.authority.pem(),
			CertData: user.cert,
			KeyData:  user.key,
		},
		QPS:   1000,
		Burst: 2000,
	}, nil
}

// WriteKubeconfig writes the administrator's kubeconfig, readable by its owner only, in one step: who sees the file sees
// all of it.
func (c *ControlPlane) WriteKubeconfig(path string) error {
	return writeKubeconfig(path, "admin", c.admin)
}

// WriteUserKubeconfig writes a kubeconfig for UserConfig(name, groups...).
func (c *ControlPlane) WriteUserKubeconfig(path, name string, groups ...string) error {
	config, err := c.UserConfig(name, groups...)
	if err != nil {
		return err
	}
	return writeKubeconfig(path, name, config)
}

// Kubectl is the control plane's own kubectl as administrator, ready to run. Nothing of the caller's ~/.kube counts:
// ports come again, and with them what kubectl has cached of another API server's discovery.
func (c *ControlPlane) Kubectl(args ...string) *exec.Cmd {
	cmd := exec.Command(c.assets.Kubectl(), args...)
	cmd.Env = append(os.Environ(),
		"KUBECONFIG="+c.path(adminKubeconfig), "KUBECACHEDIR="+c.path("kubectl-cache"), "KUBERC=off")
	return cmd
}

// RunKubectl runs kubectl as administrator with an input, and returns what it prints. An error has its message.
func (c *ControlPlane) RunKubectl(input string, arguments ...string) (string, error) {
	command := c.Kubectl(arguments...)
	command.Stdin = strings.NewReader(input)
	output, err := command.Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", fmt.Errorf("kubectl %s: %s", strings.Join(arguments, " "), strings.TrimSpace(string(exit.Stderr)))
	}
	return string(output), err
}

// RunPlugin runs kubectl vaultpane as administrator in a folder, with the executable in the folder bin and 100 columns, and returns what
// it prints on both streams. Exit code 1, which says that something needs attention, is no error.
func (c *ControlPlane) RunPlugin(ctx context.Context, bin, dir string, environment []string, arguments ...string) (string, error) {
	command := exec.CommandContext(ctx, filepath.Join(bin, "kubectl-vaultpane"), arguments...)
	command.Dir = dir
	command.Env = append(os.Environ(), "KUBECONFIG="+c.path(adminKubeconfig), "COLUMNS=100")
	command.Env = append(command.Env, environment...)
	output, err := command.CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil
	}
	if err != nil {
		err = fmt.Errorf("kubectl vaultpane %s: %w: %s", strings.Join(arguments, " "), err, output)
	}
	return string(output), err
}

func (c *ControlPlane) makeAdmin() error {
	var err error
	if c.admin, err = c.UserConfig("admin", "system:masters"); err != nil {
		return err
	}
	if c.transport, err = rest.TransportFor(c.admin); err != nil {
		return fmt.Errorf("making the administrator's client: %w", err)
	}
	return c.WriteKubeconfig(c.path(adminKubeconfig))
}

func writeKubeconfig(path, user string, config *rest.Config) error {
	const name = "vaultpane"
	text, err := clientcmd.Write(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{
			name: {Server: config.Host, CertificateAuthorityData: config.CAData},
		},
		AuthInfos: map[string]*clientcmdapi.AuthInfo{
			user: {ClientCertificateData: config.CertData, ClientKeyData: config.KeyData, Token: config.BearerToken},
		},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: user}},
		CurrentContext: name,
	})
	if err != nil {
		return fmt.Errorf("encoding the kubeconfig of %s: %w", user, err)
	}
	unfinished := path + ".unfinished"
	if err := os.WriteFile(unfinished, text, 0o600); err != nil {
		return fmt.Errorf("writing the kubeconfig of %s: %w", user, err)
	}
	if err := os.Rename(unfinished, path); err != nil {
		return fmt.Errorf("writing the kubeconfig of %s: %w", user, err)
	}
	return nil
}
