// Package atomicfile replaces files in one step: a reader sees the complete old or the complete new content, also after a crash.
package atomicfile

import (
	"errors"
	"os"
	"runtime"
	"time"
)

// UnfinishedSuffix is the suffix of a file that is being written. A crash can leave one.
const UnfinishedSuffix = ".unfinished"

// Replace writes a file under its name and UnfinishedSuffix, and renames it over the old one. mode is that of a new file.
func Replace(path string, content []byte, mode os.FileMode) error {
	unfinished := path + UnfinishedSuffix
	if err := Write(unfinished, content, mode); err != nil {
		return err
	}
	return patiently(func() error { return os.Rename(unfinished, path) })
}

// Write writes a file, in several steps, and syncs it: a rename that survives a power loss must not lead to an empty file.
func Write(path string, content []byte, mode os.FileMode) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// Read reads a file that another process may be replacing.
func Read(path string) (content []byte, err error) {
	err = patiently(func() error {
		content, err = os.ReadFile(path)
		return err
	})
	return content, err
}

// patiently tries again for half a second on Windows, where a file cannot be replaced at the moment that another process reads
// it, nor read while it is replaced (https://learn.microsoft.com/windows/win32/fileio/creating-and-opening-files).
func patiently(act func() error) error {
	for attempt := 1; ; attempt++ {
		err := act()
		if err == nil || os.IsNotExist(err) || runtime.GOOS != "windows" || attempt == 50 {
			return err
		}
		<-time.After(10 * time.Millisecond)
	}
}
