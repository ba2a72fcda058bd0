package linuxnode

import (
	"bytes"
	"errors"
	"fmt"
	"golang.org/x/sys/unix"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Process is a process of a pod's container, as the kernel of this machine knows it.
type Process struct {
	PID    int
	cgroup string // relative to the mount of the memory controller
}

// Processes returns the processes of a pod's containers, by its UID, without that of the pause image.
func (n *Node) Processes(uid string) ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []Process
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		group, err := memoryCgroup(pid)
		if err != nil || !strings.HasPrefix(group, n.cgroup.path()+"/") || !strings.Contains(group, "/pod"+uid+"/") {
			continue // it may have ended just now
		}
		if executable, err := os.Readlink(fmt.Sprintf("/proc/%d/exe", pid)); err != nil || executable == "/pause" {
			continue
		}
		found = append(found, Process{PID: pid, cgroup: group})
	}
	return found, nil
}

// memoryCgroup is a process's cgroup of the memory controller (cgroups(7)).
func memoryCgroup(pid int) (string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) == 3 && (parts[1] == "memory" || parts[1] == "" && unified()) {
			return parts[2], nil
		}
	}
	return "", fmt.Errorf("process %d has no cgroup", pid)
}

// Status returns the fields of /proc/PID/status, as proc(5) names them.
func (p Process) Status() (map[string]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.PID))
	if err != nil {
		return nil, err
	}
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.Join(strings.Fields(value), " ")
	}
	return fields, nil
}

// MemoryLimit is the limit of the container's cgroup in bytes.
func (p Process) MemoryLimit() (int64, error) {
	file := filepath.Join(cgroupMount, "memory", p.cgroup, "memory.limit_in_bytes")
	if unified() {
		file = filepath.Join(cgroupMount, p.cgroup, "memory.max")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(bytes.TrimSpace(text)), 10, 64)
}

// File is the path of a file of the container's, seen from outside.
func (p Process) File(path string) string { return fmt.Sprintf("/proc/%d/root%s", p.PID, path) }

// MayWrite reports whether a file can be made in a folder of the container by root, whom only a read-only mount refuses.
func (p Process) MayWrite(folder string) (bool, error) {
	probe := p.File(filepath.Join(folder, "probe"))
	made, err := os.OpenFile(probe, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case err == nil:
		return true, errors.Join(made.Close(), os.Remove(probe))
	case errors.Is(err, unix.EROFS):
		return false, nil
	}
	return false, err
}
