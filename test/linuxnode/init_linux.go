package linuxnode

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// initVariable has the node's folder, in the process that is the first of the node's namespaces.
const initVariable = "VAULTPANE_LINUXNODE"

// kernelSettings are what kubelet sets, and refuses to start without. They are the whole machine's, so the node sees files with
// these values in their place, and the machine keeps its own.
var kernelSettings = map[string]string{
	"vm/overcommit_memory": "1", "vm/panic_on_oom": "0", "kernel/panic": "10", "kernel/panic_on_oops": "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
}

// Init is the node's first process, where this is one; it does not return then. TestMain calls it before all else, since the node's
// first process is the test's own executable.
func Init() {
	dir := os.Getenv(initVariable)
	if dir == "" {
		return
	}
	answers := json.NewEncoder(os.Stdout)
	err := prepare(folders(dir))
	_ = answers.Encode(answerOf(err)) // a parent that is gone ends this process below
	if err == nil {
		newSupervisor().serve(json.NewDecoder(os.Stdin), answers)
	}
	os.Exit(0)
}

// prepare makes the mounts of the node. They end with its mount namespace.
func prepare(dir folders) error {
	if err := unix.Sethostname([]byte(Name)); err != nil {
		return fmt.Errorf("setting the node's name: %w", err)
	}
	// first apart from the machine's mounts, then shared among the node's own, as systemd has them
	for _, propagation := range []uintptr{unix.MS_PRIVATE, unix.MS_SHARED} {
		if err := unix.Mount("", "/", "", unix.MS_REC|propagation, ""); err != nil {
			return fmt.Errorf("separating the node's mounts: %w", err)
		}
	}
	if err := unix.Mount("proc", "/proc", "proc", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	if err := maskKernelSettings(dir); err != nil {
		return err
	}
	for source, target := range map[string]string{dir.varLib(): "/var/lib", dir.varLog(): "/var/log"} {
		if err := unix.Mount(source, target, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting the node's %s: %w", target, err)
		}
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=755"); err != nil {
		return fmt.Errorf("mounting the node's /run: %w", err)
	}
	return nil
}

func maskKernelSettings(dir folders) error {
	for name, value := range kernelSettings {
		file := dir.setting("sysctl-" + filepath.Base(name))
		if err := os.WriteFile(file, []byte(value+"\n"), 0o600); err != nil {
			return fmt.Errorf("writing the node's kernel settings: %w", err)
		}
		if err := unix.Mount(file, filepath.Join("/proc/sys", name), "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("mounting the node's kernel setting %s: %w", name, err)
		}
	}
	return nil
}
