package linuxnode

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// packages are Debian's, which Ubuntu has too.
const packages = "apt-get install containerd runc containernetworking-plugins iproute2"

// Missing says why this machine cannot run a node; nil where it can. It leaves nothing behind.
func Missing() error {
	if os.Geteuid() != 0 {
		return errors.New("a node needs root, and this is user " + fmt.Sprint(os.Geteuid()))
	}
	for _, program := range []string{"containerd", "containerd-shim-runc-v2", "ctr", "runc", "ip"} {
		if _, err := exec.LookPath(program); err != nil {
			return fmt.Errorf("there is no %s; on Debian and Ubuntu: %s", program, packages)
		}
	}
	if _, err := pluginFolder(); err != nil {
		return err
	}
	if err := namespaces(); err != nil {
		return err
	}
	return controllers()
}

// pluginFolder is the folder of the reference network plugins: Debian's, or where upstream says to put them.
func pluginFolder() (string, error) {
	for _, folder := range []string{"/usr/lib/cni", "/opt/cni/bin"} {
		found := true
		for _, plugin := range []string{"bridge", "host-local", "loopback"} {
			_, err := os.Stat(filepath.Join(folder, plugin))
			found = found && err == nil
		}
		if found {
			return folder, nil
		}
	}
	return "", errors.New("there are no network plugins (bridge, host-local, loopback); on Debian and Ubuntu: " + packages)
}

// namespaces tries what the node needs: namespaces, with a mount and a bridge in them.
func namespaces() error {
	command := exec.Command("ip", "link", "add", "vaultpane0", "type", "bridge")
	command.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWUTS | syscall.CLONE_NEWNET,
	}
	var said bytes.Buffer
	command.Stdout, command.Stderr = &said, &said
	err := command.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return fmt.Errorf("a network namespace cannot have a bridge: %s", strings.TrimSpace(said.String()))
	case err != nil:
		return fmt.Errorf("this machine does not allow new namespaces: %w", err)
	}
	return nil
}

// controllers tries to make a cgroup, and looks for the controllers without which kubelet does not start.
func controllers() error {
	there, err := controllerNames()
	if err != nil {
		return err
	}
	for _, name := range []string{"cpu", "cpuset", "memory", "pids"} {
		if !there[name] {
			return fmt.Errorf("this machine has no cgroup controller %s", name)
		}
	}
	probe := newCgroup()
	if err := probe.make(); err != nil {
		return errors.Join(fmt.Errorf("cgroups cannot be written: %w", err), probe.remove())
	}
	return probe.remove()
}

func controllerNames() (map[string]bool, error) {
	there := map[string]bool{}
	if unified() {
		text, err := os.ReadFile(filepath.Join(cgroupMount, "cgroup.controllers"))
		if err != nil {
			return nil, fmt.Errorf("looking for cgroup controllers: %w", err)
		}
		for _, name := range strings.Fields(string(text)) {
			there[name] = true
		}
		return there, nil
	}
	folders, err := hierarchies()
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		for _, name := range strings.Split(filepath.Base(folder), ",") { // cpu,cpuacct
			there[name] = true
		}
	}
	return there, nil
}

// snapshotter is containerd's: overlay, or one that copies where the folder's file system cannot be below an overlay.
func snapshotter(folder string) string {
	probe, err := os.MkdirTemp(folder, "overlay-")
	if err != nil {
		return "native"
	}
	defer func() { _ = os.RemoveAll(probe) }() // the node's folder goes too
	options := []string{"lowerdir=" + filepath.Join(probe, "lower"), "upperdir=" + filepath.Join(probe, "upper"), "workdir=" + filepath.Join(probe, "work")}
	merged := filepath.Join(probe, "merged")
	for _, name := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(probe, name), 0o700); err != nil {
			return "native"
		}
	}
	if err := unix.Mount("overlay", merged, "overlay", 0, strings.Join(options, ",")); err != nil {
		return "native"
	}
	_ = unix.Unmount(merged, unix.MNT_DETACH) // nothing uses it
	return "overlayfs"
}
