package directory

import (
	"errors"
	"os"
)

// unfinishedSuffix ends the name of a file that is being written. What a crash leaves of it is removed with orphaned keys.
const unfinishedSuffix = ".unfinished"

// replaceFile puts a file in place in one step: a reader sees the old one or the new one, whole.
func replaceFile(path string, content []byte) error {
	unfinished := path + unfinishedSuffix
	if err := writeFile(unfinished, content); err != nil {
		return err
	}
	return os.Rename(unfinished, path)
}

// writeFile writes a file that its owner alone may read, and returns when it is on the disk: a rename that survives a loss
// of power must not point at an empty file.
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
