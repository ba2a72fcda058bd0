package directory

import "github.com/vaultpane/vaultpane/internal/atomicfile"

// ownerOnly is the mode of the store's files.
const ownerOnly = 0o600

// replaceFile replaces a file in one step. A file that a crash leaves unfinished is removed with orphaned keys.
func replaceFile(path string, content []byte) error {
	if _, err := stampOf(path + atomicfile.UnfinishedSuffix); err != nil {
		return err // opening a pipe would wait for its reader
	}
	return atomicfile.Replace(path, content, ownerOnly)
}

// writeFile writes a file that only its owner can read.
func writeFile(path string, content []byte) error {
	if _, err := stampOf(path); err != nil {
		return err // as above
	}
	return atomicfile.Write(path, content, ownerOnly)
}
