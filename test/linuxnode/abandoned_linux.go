package linuxnode

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// namePrefix begins the names of a node's folder and cgroup. The id of the process that started the node follows.
const namePrefix = "vaultpane-node-"

func ownName() string { return namePrefix + strconv.Itoa(os.Getpid()) }

// RemoveAbandoned removes the folders and cgroups of nodes whose process was killed before it could. Mounts and processes are gone
// already: the kernel ended them with the namespaces.
func RemoveAbandoned() error {
	var problems []error
	folders, err := hierarchies()
	if err != nil {
		return err
	}
	for _, folder := range append(folders, os.TempDir()) {
		found, err := filepath.Glob(filepath.Join(folder, namePrefix+"*"))
		if err != nil {
			return err
		}
		for _, path := range found {
			if !abandoned(filepath.Base(path)) {
				continue
			}
			if folder == os.TempDir() {
				err = os.RemoveAll(path)
			} else {
				err = removeTree(path)
			}
			problems = append(problems, err)
		}
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("removing what a killed node left: %w", err)
	}
	return nil
}

func abandoned(name string) bool {
	number, _, _ := strings.Cut(strings.TrimPrefix(name, namePrefix), "-")
	pid, err := strconv.Atoi(number)
	if err != nil {
		return false
	}
	_, err = os.Stat(filepath.Join("/proc", strconv.Itoa(pid)))
	return errors.Is(err, os.ErrNotExist)
}
