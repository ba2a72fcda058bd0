// Package podfile finds files of a pod's volumes. containerd 1.6 mounts them at another path than the one asked for.
package podfile

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// sandboxVariable is set in HostProcess containers
// (https://kubernetes.io/docs/tasks/configure-pod-container/create-hostprocess-pod/#volume-mounts).
const sandboxVariable = "CONTAINER_SANDBOX_MOUNT_POINT"

// Find returns where a file of a pod's volume is. containerd 1.7 and later mount volumes of a HostProcess container at the path
// asked for; 1.6 mounts them below the sandbox mount point only. The error names the places that were looked at.
func Find(file string) (string, error) {
	places := []string{file}
	if sandbox := os.Getenv(sandboxVariable); sandbox != "" {
		places = append(places, filepath.Join(sandbox, strings.TrimPrefix(file, filepath.VolumeName(file))))
	}
	for _, place := range places {
		if info, err := os.Stat(place); err == nil && !info.IsDir() { //nolint:gosec // the process's own settings name the file
			return place, nil
		}
	}
	return "", fmt.Errorf("looked for %s", strings.Join(places, " and "))
}
