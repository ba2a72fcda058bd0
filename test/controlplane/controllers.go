package controlplane

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/vaultpane/vaultpane/test/internal/ports"
)

// startControllers starts kube-controller-manager and kube-scheduler, and returns when both work. They have the rights of
// their users and no more. They continue to run while the API server is stopped and started again.
func (c *ControlPlane) startControllers(ctx context.Context) error {
	manager := []string{
		"--service-account-private-key-file=" + c.path(tokenKey),
		"--root-ca-file=" + c.path(authorityCert),
		"--use-service-account-credentials=true", // each controller with its own rights, as kubeadm has it
	}
	if err := c.startController(ctx, c.extra.KubeControllerManager(), "system:kube-controller-manager", manager...); err != nil {
		return err
	}
	return c.startController(ctx, c.extra.KubeScheduler(), "system:kube-scheduler")
}

func (c *ControlPlane) startController(ctx context.Context, path, user string, args ...string) error {
	port, err := ports.Free()
	if err != nil {
		return err
	}
	kubeconfig := c.path(user[len("system:"):] + ".kubeconfig")
	if err := c.WriteUserKubeconfig(kubeconfig, user); err != nil {
		return err
	}
	p, err := startProcess(path, append([]string{
		"--kubeconfig=" + kubeconfig,
		"--leader-elect=false", // there is one
		"--bind-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", port),
		"--tls-cert-file=" + c.path(serverCert),
		"--tls-private-key-file=" + c.path(serverKey),
	}, args...), c.options.Output)
	if err != nil {
		return err
	}
	c.mu.Lock()
	c.controllers = append(c.controllers, p)
	c.mu.Unlock()
	client := &http.Client{Transport: c.transport, Timeout: 10 * time.Second}
	err = p.waitReady(ctx, func(ctx context.Context) error { return get(ctx, client, "https://"+ports.Address(port)+"/healthz") })
	if err != nil {
		return err
	}
	go c.watch(p)
	return nil
}

func (c *ControlPlane) stopControllers() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var err error
	for _, p := range c.controllers {
		err = errors.Join(err, p.stop())
	}
	c.controllers = nil
	return err
}
