//go:build unix

package settings

import (
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Opening a pipe waits for its writer.
func TestAPipeIsRejected(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.json")
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), "this is a pipe, a socket or a device, must be a regular file") {
		t.Errorf("got error %v", err)
	}
}
