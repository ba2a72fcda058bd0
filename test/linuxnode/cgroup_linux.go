package linuxnode

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/apimachinery/pkg/util/wait"
)

const (
	cgroupMount = "/sys/fs/cgroup"
	// what a cgroup may take to be empty, once its processes were killed
	cgroupLimit = 30 * time.Second
)

// cgroup is the control group of all pods, by name. It must not collide with that of another kubelet of the machine.
type cgroup string

func newCgroup() cgroup { return cgroup(ownName()) }

func (c cgroup) path() string { return "/" + string(c) }

// unified reports whether the machine has cgroup v2 only.
func unified() bool {
	var mount unix.Statfs_t
	return unix.Statfs(cgroupMount, &mount) == nil && mount.Type == unix.CGROUP2_SUPER_MAGIC
}

// hierarchies are the folders of the cgroup file systems: one with v2, one for each group of controllers with v1.
func hierarchies() ([]string, error) {
	if unified() {
		return []string{cgroupMount}, nil
	}
	entries, err := os.ReadDir(cgroupMount)
	if err != nil {
		return nil, fmt.Errorf("looking for cgroups: %w", err)
	}
	var found []string
	for _, entry := range entries {
		folder := filepath.Join(cgroupMount, entry.Name())
		if _, err := os.Stat(filepath.Join(folder, "cgroup.procs")); err == nil && entry.IsDir() {
			found = append(found, folder)
		}
	}
	return found, nil
}

func (c cgroup) make() error {
	folders, err := hierarchies()
	if err != nil {
		return err
	}
	if err := enableControllers(); err != nil {
		return err
	}
	for _, folder := range folders {
		if err := os.MkdirAll(filepath.Join(folder, string(c)), 0o755); err != nil {
			return fmt.Errorf("making a cgroup: %w", err)
		}
	}
	return nil
}

// enableControllers hands the controllers that kubelet wants of the machine's root cgroup on to its children. systemd has usually done
// so with most; with v1 there is nothing to do.
func enableControllers() error {
	if !unified() {
		return nil
	}
	there, err := controllerNames()
	if err != nil {
		return err
	}
	for _, name := range []string{"cpu", "cpuset", "hugetlb", "memory", "pids"} {
		if !there[name] {
			continue
		}
		if err := os.WriteFile(filepath.Join(cgroupMount, "cgroup.subtree_control"), []byte("+"+name), 0); err != nil {
			return fmt.Errorf("handing on the cgroup controller %s: %w", name, err)
		}
	}
	return nil
}

// remove removes the cgroup with all below it, which must have no process any more: the kernel counts one for a moment after its
// end.
func (c cgroup) remove() error {
	folders, err := hierarchies()
	if err != nil {
		return err
	}
	for _, folder := range folders {
		var last error
		err := wait.PollUntilContextTimeout(context.Background(), 20*time.Millisecond, cgroupLimit, true, func(context.Context) (bool, error) {
			last = removeTree(filepath.Join(folder, string(c)))
			return last == nil, nil
		})
		if err != nil {
			return fmt.Errorf("removing the cgroup: %w", last)
		}
	}
	return nil
}

// removeTree removes folders, the deepest first: the files of a cgroup go with it.
func removeTree(root string) error {
	var found []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil
		case err != nil:
			return err
		case entry.IsDir():
			found = append(found, path)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, path := range slices.Backward(found) {
		if err := unix.Rmdir(path); err != nil && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("removing %s: %w", strings.TrimPrefix(path, cgroupMount), err)
		}
	}
	return nil
}
