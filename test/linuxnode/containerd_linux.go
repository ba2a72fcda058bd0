package linuxnode

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/util/wait"
)

// startLimit is how long containerd may take to listen.
const startLimit = time.Minute

// containerdSettings are in the form that containerd 1.6, 1.7 and 2 read. Its state is in /run, which a reboot empties. No profile of
// AppArmor is loaded: that would change the machine.
func containerdSettings(dir folders, snapshotter, plugins string) string {
	return fmt.Sprintf(`version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"]
[grpc]
address = %q
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = %q
disable_apparmor = true
restrict_oom_score_adj = %t
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = %q
conf_dir = %q
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = %q
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
`, dir.socket(), pauseImage, !mayLowerOOMScore(), plugins, dir.setting("cni"), snapshotter)
}

// mayLowerOOMScore reports whether this process has CAP_SYS_RESOURCE. Root in a container often does not, and runc would start nothing
// whose pod has a better score than this process.
func mayLowerOOMScore() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return false
	}
	return data[0].Effective&(1<<unix.CAP_SYS_RESOURCE) != 0
}

// startContainerd returns when containerd listens.
func (n *Node) startContainerd(ctx context.Context) error {
	path, err := exec.LookPath("containerd")
	if err != nil {
		return err
	}
	// of a containerd that was killed
	if err := os.Remove(n.dir.socket()); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("removing containerd's socket: %w", err)
	}
	if err := n.machine.start("containerd", n.dir.log("containerd"), path, "--config", n.dir.setting("containerd.toml")); err != nil {
		return err
	}
	var last error
	err = wait.PollUntilContextTimeout(ctx, 50*time.Millisecond, startLimit, true, func(ctx context.Context) (bool, error) {
		last = listens(ctx, n.dir.socket())
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("waiting for containerd: %w (last error: %w)", err, last)
	}
	return nil
}

func listens(ctx context.Context, socket string) error {
	connection, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	return connection.Close()
}
