//go:build !windows

package standalone

import "os"

// MakeFolder creates a folder that only this account can write to.
func MakeFolder(path string) error { return os.MkdirAll(path, 0o755) } //nolint:gosec // G301: it holds no secret, and status reads it
