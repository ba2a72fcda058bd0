package directory

import (
	"errors"
	"os"
)

// unfinishedSuffix is the suffix of a file that is being written. A file that a crash leaves is removed with orphaned keys.
const unfinishedSuffix = ".unfinished"

// replaceFile replaces a file atomically: a reader sees the complete old or the complete new file.
func replaceFile(path string, content []byte) error {
	unfinished := path + unfinishedSuffix
	if err := writeFile(unfinished, content); err != nil {
		return err
	}
	return os.Rename(unfinished, path)
}

// writeFile writes a file that only its owner can read, and syncs it: a rename that survives a power loss must not lead to an empty
// file.
func writeFile(path string, content []byte) error {
	if _, err := stampOf(path); err != nil {
		return err // opening a pipe would wait for its reader
	}
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
