package controlplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/vaultpane/vaultpane/test/internal/filelock"
	"github.com/vaultpane/vaultpane/test/internal/ports"
)

// Files in a control plane's folder.
const (
	authorityCert   = "ca.crt"
	serverCert      = "apiserver.crt"
	serverKey       = "apiserver.key"
	tokenKey        = "service-account.key"
	adminKubeconfig = "admin.kubeconfig"

	kubeletClientCert = "kubelet-client.crt"
	kubeletClientKey  = "kubelet-client.key"
)

// Options of Start; the zero value is good.
type Options struct {
	// Dir is the folder for data and keys. Start makes it, and Stop removes it with all that is in it; so it must not
	// exist. Empty is a new one among the temporary files.
	Dir string
	// Log takes lines of progress. Nil discards them.
	Log Log
	// Output takes what the processes write. Nil discards it; the end of it is in errors anyway.
	Output io.Writer
	// Controllers runs kube-controller-manager and kube-scheduler too, and the ServiceAccount admission plugin that needs
	// the former: workloads become pods, pods get nodes, and what lost its owner is collected. Nothing runs the pods.
	Controllers bool
	// Kubelets lets kubelets join: with the rights of their nodes only, and reached by the API server for logs.
	Kubelets bool
	// APIServerArgs are added to the arguments of kube-apiserver, and win where one is given twice.
	APIServerArgs []string
}

// ControlPlane is a running etcd and kube-apiserver. Its methods may be called from several goroutines. The processes
// end with the process that started them, also when that is killed (on macOS and BSD only by Stop or Ctrl-C).
type ControlPlane struct {
	options   Options
	assets    Assets
	extra     Assets // of Options.Controllers
	dir       string
	inUse     *filelock.Lock // shows removeAbandoned of other processes that dir is in use
	etcdURL   string
	port      int
	authority *authority
	admin     *rest.Config
	transport http.RoundTripper // the admin's
	failed    chan error        // the first unexpected end of a process

	mu          sync.Mutex // of the processes; nil when not running
	etcd        *process
	apiServer   *process
	controllers []*process
}

// Start runs etcd and kube-apiserver on free ports of 127.0.0.1 and returns when requests are served, about 5 s later.
// It gets the binaries first if this machine has none, see FindAssets. ctx limits the start, not the lifetime.
func Start(ctx context.Context, options Options) (*ControlPlane, error) {
	if options.Log == nil {
		options.Log = func(string, ...any) {}
	}
	assets, err := FindAssets(ctx, options.Log)
	if err != nil {
		return nil, err
	}
	c := &ControlPlane{options: options, assets: assets, failed: make(chan error, 1)}
	if options.Controllers {
		if c.extra, err = FindControllers(ctx, options.Log); err != nil {
			return nil, err
		}
	}
	if err := c.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the control plane: %w", err), c.Stop())
	}
	return c, nil
}

func (c *ControlPlane) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	if err := c.makeDir(); err != nil {
		return err
	}
	etcdPort, port, err := ports.Two()
	if err != nil {
		return err
	}
	c.etcdURL, c.port = "http://"+ports.Address(etcdPort), port
	if err := c.makeKeys(); err != nil {
		return err
	}
	if err := c.startEtcd(ctx); err != nil {
		return err
	}
	if err := c.startAPIServer(ctx); err != nil || !c.options.Controllers {
		return err
	}
	return c.startControllers(ctx)
}

func (c *ControlPlane) startEtcd(ctx context.Context) error {
	etcd, err := startProcess(c.assets.Etcd(), c.etcdArgs(), c.options.Output)
	if err != nil {
		return err
	}
	c.etcd = etcd
	if err := etcd.waitReady(ctx, c.etcdReady); err != nil {
		return err
	}
	go c.watch(etcd)
	return nil
}

// watch reports a process that ends without having been stopped.
func (c *ControlPlane) watch(p *process) {
	<-p.exited
	if p.stopped.Load() {
		return
	}
	select {
	case c.failed <- p.failure():
	default: // one is enough
	}
}

// Wait returns nil when ctx ends, or says which process ended without having been stopped. For one waiter.
func (c *ControlPlane) Wait(ctx context.Context) error {
	select {
	case err := <-c.failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// Stop kills all processes and removes the folder. Again is a no-op.
func (c *ControlPlane) Stop() error {
	err := errors.Join(c.stopControllers(), c.StopAPIServer())
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.etcd != nil {
		err = errors.Join(err, c.etcd.stop())
		c.etcd = nil
	}
	return errors.Join(err, c.removeDir())
}

// AuthorityFile is the file with the certificate of the authority that signs the certificates of the API server and its users.
func (c *ControlPlane) AuthorityFile() string { return c.path(authorityCert) }

// Address is the host and port of the API server.
func (c *ControlPlane) Address() string { return ports.Address(c.port) }

func (c *ControlPlane) path(name string) string { return filepath.Join(c.dir, name) }

// makeKeys creates everything that stays the same for the lifetime of the control plane.
func (c *ControlPlane) makeKeys() error {
	var err error
	if c.authority, err = newAuthority(); err != nil {
		return err
	}
	server, err := c.authority.server()
	if err != nil {
		return err
	}
	token, err := newTokenKey()
	if err != nil {
		return err
	}
	// as kubeadm names the client of kubelets
	client, err := c.authority.user("kube-apiserver-kubelet-client", []string{"system:masters"})
	if err != nil {
		return err
	}
	files := map[string][]byte{
		authorityCert: c.authority.pem(), serverCert: server.cert, serverKey: server.key, tokenKey: token,
		kubeletClientCert: client.cert, kubeletClientKey: client.key,
	}
	for name, content := range files {
		if err := os.WriteFile(c.path(name), content, 0o600); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return c.makeAdmin()
}
