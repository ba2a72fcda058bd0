package controlplane

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// startLimit is how long the API server may take; it is ready after about 4 s on two cores.
const startLimit = 5 * time.Minute

// ServiceAddress is the address of the Service kubernetes, the first of the range: kubelet tells pods to find the API server
// there, at port 443. Nothing listens there but in a test that has a node with real pods.
const ServiceAddress = "10.0.0.1"

// serviceAccountIssuer is what a kubeadm cluster has too. Nothing here resolves it.
const serviceAccountIssuer = "https://kubernetes.default.svc.cluster.local"

// apiServerArgs are the same at every start: the same port, certificates, keys and etcd.
func (c *ControlPlane) apiServerArgs() []string {
	args := []string{
		"--etcd-servers=" + c.etcdURL,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1", // else it looks for a default route, which a build machine may not have
		"--endpoint-reconciler-type=none",
		"--secure-port=" + fmt.Sprint(c.port),
		"--cert-dir=" + c.dir,
		"--tls-cert-file=" + c.path(serverCert),
		"--tls-private-key-file=" + c.path(serverKey),
		"--client-ca-file=" + c.path(authorityCert),
		"--authorization-mode=" + c.authorization(),
		"--service-account-issuer=" + serviceAccountIssuer,
		"--service-account-key-file=" + c.path(tokenKey),
		"--service-account-signing-key-file=" + c.path(tokenKey),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--allow-privileged=true", // HostProcess pods are privileged
	}
	if !c.options.Controllers {
		// it would refuse pods until a controller-manager has made the default service account
		args = append(args, "--disable-admission-plugins=ServiceAccount")
	}
	if c.options.Kubelets {
		args = append(args, c.kubeletArgs()...)
	}
	return append(args, c.options.APIServerArgs...)
}

// authorization are the authorizers: a kubelet has the rights of its node from the first.
func (c *ControlPlane) authorization() string {
	if c.options.Kubelets {
		return "Node,RBAC"
	}
	return "RBAC"
}

// kubeletArgs are for nodes with a kubelet, as kubeadm has them: a kubelet has the rights of its own node only, and the API server
// reaches it.
func (c *ControlPlane) kubeletArgs() []string {
	return []string{
		"--enable-admission-plugins=NodeRestriction",
		"--kubelet-preferred-address-types=InternalIP",
		"--kubelet-client-certificate=" + c.path(kubeletClientCert),
		"--kubelet-client-key=" + c.path(kubeletClientKey),
	}
}

// StartAPIServer starts the API server and returns when it is ready. After StopAPIServer it is the same one again: same
// port, certificates, keys and data, so that clients reconnect. Does nothing when it runs.
func (c *ControlPlane) StartAPIServer() error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	return c.startAPIServer(ctx)
}

func (c *ControlPlane) startAPIServer(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.apiServer != nil {
		return nil
	}
	server, err := startProcess(c.assets.KubeAPIServer(), c.apiServerArgs(), c.options.Output)
	if err != nil {
		return err
	}
	if err := server.waitReady(ctx, c.apiServerReady); err != nil {
		_ = server.stop()
		return err
	}
	c.apiServer = server
	go c.watch(server)
	return nil
}

// StopAPIServer kills the API server, as a crash or a lost machine would, and returns when it has ended. etcd continues to run.
// Does nothing when it does not run.
func (c *ControlPlane) StopAPIServer() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.apiServer == nil {
		return nil
	}
	err := c.apiServer.stop()
	c.apiServer = nil
	return err
}

// apiServerReady waits for the default namespace too: /readyz does not, and the first thing a test makes goes into it.
func (c *ControlPlane) apiServerReady(ctx context.Context) error {
	client := &http.Client{Transport: c.transport, Timeout: 10 * time.Second}
	if err := get(ctx, client, c.admin.Host+"/readyz"); err != nil {
		return err
	}
	return get(ctx, client, c.admin.Host+"/api/v1/namespaces/default")
}
