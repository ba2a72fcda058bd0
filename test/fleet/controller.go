package fleet

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/vaultpane/vaultpane/test/controlplane"
	"github.com/vaultpane/vaultpane/test/install"
	"github.com/vaultpane/vaultpane/test/internal/ports"
	"github.com/vaultpane/vaultpane/test/node"
)

// Controller is the running controller.
type Controller struct {
	*node.Process
	address string // of its metrics
}

// StartController starts the controller that `make build` made, with a token of its service account, and returns when its
// cache is filled. Its log is in dir. The environment is added to that of this process.
func StartController(ctx context.Context, plane *controlplane.ControlPlane, root, dir string, environment ...string) (*Controller, error) {
	kubeconfig := filepath.Join(dir, "controller.kubeconfig")
	if err := install.WriteControllerKubeconfig(ctx, plane, kubeconfig); err != nil {
		return nil, err
	}
	address, err := ports.FreeAddress()
	if err != nil {
		return nil, err
	}
	health, err := ports.FreeAddress()
	if err != nil {
		return nil, err
	}
	process, err := node.StartController(root, filepath.Join(dir, "controller.log"), append(environment,
		"VAULTPANE_KUBECONFIG="+kubeconfig, "VAULTPANE_METRICS_BIND_ADDRESS="+address, "VAULTPANE_HEALTH_PROBE_BIND_ADDRESS="+health))
	if err != nil {
		return nil, err
	}
	err = wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		if !process.Running() {
			return false, fmt.Errorf("it has ended, see its log")
		}
		answer, err := get(ctx, "http://"+health+"/readyz")
		if err != nil {
			return false, nil //nolint:nilerr // not yet
		}
		return true, answer.Body.Close()
	})
	if err != nil {
		process.Kill()
		return nil, fmt.Errorf("waiting for the controller: %w", err)
	}
	return &Controller{Process: process, address: address}, nil
}

// Metric returns the value of a metric, given by name and labels as the text format has them; 0 where it is not there.
func (c *Controller) Metric(ctx context.Context, series string) (float64, error) {
	answer, err := get(ctx, "http://"+c.address+"/metrics")
	if err != nil {
		return 0, fmt.Errorf("reading the controller's metrics: %w", err)
	}
	defer func() { _ = answer.Body.Close() }() // it has been read
	lines := bufio.NewScanner(answer.Body)
	for lines.Scan() {
		if value, found := strings.CutPrefix(lines.Text(), series+" "); found {
			return strconv.ParseFloat(value, 64)
		}
	}
	return 0, lines.Err()
}

func get(ctx context.Context, url string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusOK {
		_ = answer.Body.Close() // its text is not needed
		return nil, fmt.Errorf("%s answers %s", url, answer.Status)
	}
	return answer, nil
}
