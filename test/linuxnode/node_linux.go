package linuxnode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/vaultpane/vaultpane/test/controlplane"
)

// Name is the node's name.
const Name = "linux-1"

// Options of Start.
type Options struct {
	// Plane is the cluster, made with its option Kubelets.
	Plane *controlplane.ControlPlane
	// Kubelet is the path of kubelet.
	Kubelet string
	// Pause is the path of the program of package pause.
	Pause string
	// Taints are those with which the node registers.
	Taints []Taint
}

// Node is a running node. Make it with Start. Its methods are for one goroutine, but for the readers of processes.
type Node struct {
	options Options
	dir     folders
	cgroup  cgroup
	machine *machine
}

// Start starts containerd, imports the images that the node itself needs, and starts kubelet, which registers the node.
func Start(ctx context.Context, options Options) (*Node, error) {
	if err := Missing(); err != nil {
		return nil, err
	}
	if err := errors.Join(visible(options.Kubelet), visible(os.TempDir()), visible(options.Plane.AuthorityFile())); err != nil {
		return nil, err
	}
	if err := RemoveAbandoned(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", ownName()+"-") // a short path: that of a socket has at most 107 characters
	if err != nil {
		return nil, err
	}
	n := &Node{options: options, dir: folders(dir), cgroup: newCgroup()}
	if err := n.start(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the node: %w", err), n.Stop())
	}
	return n, nil
}

func (n *Node) start(ctx context.Context) error {
	if err := n.dir.make(); err != nil {
		return err
	}
	if err := n.writeSettings(); err != nil {
		return err
	}
	if err := n.boot(ctx); err != nil {
		return err
	}
	if err := n.importPause(ctx); err != nil {
		return err
	}
	return n.StartKubelet()
}

func (n *Node) writeSettings() error {
	plugins, err := pluginFolder()
	if err != nil {
		return err
	}
	if err := n.dir.write("containerd.toml", containerdSettings(n.dir, snapshotter(string(n.dir)), plugins)); err != nil {
		return err
	}
	if err := n.dir.write(filepath.Join("cni", "pods.conflist"), networkSettings()); err != nil {
		return err
	}
	return n.writeKubelet()
}

// boot starts the node's first process and containerd.
func (n *Node) boot(ctx context.Context) error {
	if err := n.cgroup.make(); err != nil {
		return err
	}
	var err error
	if n.machine, err = switchOn(n.dir); err != nil {
		return err
	}
	return n.startContainerd(ctx)
}

// Crash ends all processes of the node at once. Disks stay as they are.
func (n *Node) Crash() error {
	if n.machine == nil {
		return nil
	}
	err := n.machine.switchOff()
	n.machine = nil
	return errors.Join(err, n.cgroup.remove())
}

// Boot starts a node after Crash, with what its disks have.
func (n *Node) Boot(ctx context.Context) error {
	if err := n.boot(ctx); err != nil {
		return err
	}
	return n.StartKubelet()
}

// Stop ends the node and removes all of it. Again is a no-op.
func (n *Node) Stop() error {
	if err := n.Crash(); err != nil {
		return err // what still runs may write
	}
	if err := os.RemoveAll(string(n.dir)); err != nil {
		return fmt.Errorf("removing the node's folder: %w", err)
	}
	return nil
}

// Path is where a path of the node's /var/lib or /var/log is on this machine.
func (n *Node) Path(path string) string {
	for prefix, folder := range map[string]string{"/var/lib": n.dir.varLib(), "/var/log": n.dir.varLog()} {
		if rest, err := filepath.Rel(prefix, path); err == nil && filepath.IsLocal(rest) {
			return filepath.Join(folder, rest)
		}
	}
	return path
}

// Logs are the files with what the node's programs say.
func (n *Node) Logs() []string { return []string{n.dir.log("containerd"), n.dir.log("kubelet")} }
