package standalone

import (
	"fmt"
	"os"
	"runtime"
	"time"
)

// unfinishedSuffix is that of a file that is being written.
const unfinishedSuffix = ".unfinished"

// replaceFile replaces a file in one step: a reader sees the old content or the new, also after a crash.
func replaceFile(path string, content []byte) error {
	unfinished := path + unfinishedSuffix
	file, err := os.OpenFile(unfinished, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o644) //nolint:gosec // G302: it holds no secret, and status reads it
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return fmt.Errorf("writing %s: %w", unfinished, err)
	}
	return patiently(func() error { return os.Rename(unfinished, path) })
}

// readFile reads a file that another process may be replacing.
func readFile(path string) (content []byte, err error) {
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
