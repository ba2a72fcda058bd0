package node

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// WineVersion is the major version of the Wine that the repository at root uses.
func WineVersion(root string) (int, error) {
	text, err := exec.Command(filepath.Join(root, "hack", "wine.sh"), "--version").Output()
	if err != nil {
		return 0, fmt.Errorf("asking for Wine's version: %w", err)
	}
	var major int
	if _, err := fmt.Sscanf(string(text), "wine-%d.", &major); err != nil {
		return 0, fmt.Errorf("reading Wine's version %q: %w", text, err)
	}
	return major, nil
}
