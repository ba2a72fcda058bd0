package directory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// cache avoids parsing unchanged files: otherwise each store check would parse every private key.
type cache struct {
	mu   sync.Mutex
	seen map[string]cached // by path without suffix
}

type cached struct {
	certificate, key stamp
	entry            certstore.Entry
}

// stamp identifies one state of a file. It is nil for a file that does not exist.
type stamp os.FileInfo

// read returns the entry in the files at a path without suffix, nil if there is no certificate.
func (c *cache) read(path string) (*certstore.Entry, error) {
	certificate, err := stampOf(path + certificateSuffix)
	if err != nil {
		return nil, err
	}
	key, err := stampOf(path + keySuffix)
	if err != nil {
		return nil, err
	}
	if known, ok := c.get(path); ok && same(known.certificate, certificate) && same(known.key, key) {
		return &known.entry, nil
	}
	read, err := readDocument(path + certificateSuffix)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, errDamaged): // a damaged file is replaced
		c.forget(path)
		return nil, nil
	case err != nil:
		return nil, err
	}
	entry := read.entry(keyState(path+keySuffix, read))
	c.put(path, cached{certificate: certificate, key: key, entry: *entry})
	return entry, nil
}

func (c *cache) get(path string) (cached, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known, ok := c.seen[path]
	return known, ok
}

func (c *cache) put(path string, value cached) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen == nil {
		c.seen = map[string]cached{}
	}
	c.seen[path] = value
}

func (c *cache) forget(path string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.seen, path)
}

// errNoFile is the error of a directory, a pipe or the like in the place of a file.
var errNoFile = errors.New("is not a regular file")

// stampOf returns nil for a file that does not exist. Reading anything but a regular file, such as a pipe, could block forever.
func stampOf(path string) (stamp, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err == nil && !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s %w (%s); remove it", path, errNoFile, info.Mode().Type())
	}
	return info, err
}

// readRegular reads a regular file.
func readRegular(path string) ([]byte, error) {
	info, err := stampOf(path)
	if err != nil {
		return nil, err
	}
	if info == nil {
		return nil, fmt.Errorf("reading %s: %w", path, fs.ErrNotExist)
	}
	return os.ReadFile(path)
}

// same compares more than time and size: a renamed file is another file.
func same(a, b stamp) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	return a.ModTime().Equal(b.ModTime()) && a.Size() == b.Size() && os.SameFile(a, b)
}
