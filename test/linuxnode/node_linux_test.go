package linuxnode

import (
	"fmt"
	"os"
	"testing"
)

func TestPathsOfTheNode(t *testing.T) {
	n := &Node{dir: "/tmp/node"}
	for path, want := range map[string]string{
		"/var/lib/vaultpane/store": "/tmp/node/var-lib/vaultpane/store",
		"/var/log":                 "/tmp/node/var-log",
		"/var/library":             "/var/library",
		"/etc/hosts":               "/etc/hosts",
	} {
		if got := n.Path(path); got != want {
			t.Errorf("%s is at %s, want %s", path, got, want)
		}
	}
}

func TestWhatALivingProcessHasIsNotAbandoned(t *testing.T) {
	for name, want := range map[string]bool{
		ownName():                            false,
		fmt.Sprintf("%s-123", ownName()):     false,
		namePrefix + "4194305":               true, // above the highest process id
		namePrefix + "4194305-123":           true,
		namePrefix + "of another program":    false,
		fmt.Sprint(namePrefix, os.Getppid()): false,
	} {
		if got := abandoned(name); got != want {
			t.Errorf("%s is abandoned: %v, want %v", name, got, want)
		}
	}
}

func TestWhatTheNodeDoesNotSee(t *testing.T) {
	for path, want := range map[string]bool{
		"/var/lib/build/kubelet": false, "/run/kubelet": false, "/var/log": false, "/var/library/kubelet": true, "/root/.cache/kubelet": true,
	} {
		if got := visible(path) == nil; got != want {
			t.Errorf("%s is visible: %v, want %v", path, got, want)
		}
	}
}
