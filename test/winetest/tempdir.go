package winetest

import (
	"os"
	"testing"
)

// TempDir is t.TempDir, except that a folder that Wine 8 cannot remove is no failure of the test.
func TempDir(t *testing.T) string {
	t.Helper()
	path, err := os.MkdirTemp("", "vaultpane-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(path) })
	return path
}
