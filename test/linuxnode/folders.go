package linuxnode

import (
	"fmt"
	"os"
	"path/filepath"
)

// folders are the places of a node in its folder.
type folders string

// The node's /var/lib and /var/log, which a reboot keeps.
func (f folders) varLib() string { return filepath.Join(string(f), "var-lib") }
func (f folders) varLog() string { return filepath.Join(string(f), "var-log") }

// settings are the files that the node's programs read.
func (f folders) settings() string           { return filepath.Join(string(f), "settings") }
func (f folders) setting(name string) string { return filepath.Join(f.settings(), name) }

// log is what a program of the node says.
func (f folders) log(program string) string { return filepath.Join(string(f), program+".log") }

// socket is containerd's. It is not in the node's /run, so that it is reached from outside.
func (f folders) socket() string { return filepath.Join(string(f), "containerd.sock") }

func (f folders) make() error {
	for _, folder := range []string{f.varLib(), f.varLog(), f.setting("cni")} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("making the node's folders: %w", err)
		}
	}
	return nil
}

// write writes a setting.
func (f folders) write(name, text string) error {
	if err := os.WriteFile(f.setting(name), []byte(text), 0o600); err != nil {
		return fmt.Errorf("writing the node's settings: %w", err)
	}
	return nil
}

// visible says whether a path of this machine is there on the node too, where other folders lie over some.
func visible(path string) error {
	for _, hidden := range []string{"/run", "/var/lib", "/var/log", "/var/run"} {
		if rest, err := filepath.Rel(hidden, path); err == nil && filepath.IsLocal(rest) {
			return fmt.Errorf("%s is not visible on the node, which has its own %s", path, hidden)
		}
	}
	return nil
}
