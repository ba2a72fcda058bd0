package install

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/vaultpane/vaultpane/test/controlplane"
)

// Helm runs bin/helm of the repository at root in Namespace, as the administrator and with nothing of the caller's own settings, which
// are in dir instead. It returns what Helm printed.
func Helm(ctx context.Context, plane *controlplane.ControlPlane, root, dir string, arguments ...string) (string, error) {
	kubeconfig := filepath.Join(dir, "helm.kubeconfig")
	if err := plane.WriteKubeconfig(kubeconfig); err != nil {
		return "", err
	}
	command := exec.CommandContext(ctx, filepath.Join(root, "bin", "helm"), append(arguments, "--namespace="+Namespace)...)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(dir, "helm"), "KUBECONFIG=" + kubeconfig}
	output, err := command.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("helm %s: %w\n%s", strings.Join(arguments, " "), err, output)
	}
	return string(output), err
}
