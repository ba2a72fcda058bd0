package directory

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/internal/atomicfile"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// OrphanedKeys implements certstore.Store.
func (s *Store) OrphanedKeys(location certstore.Location) ([]string, error) {
	var keys []string
	err := s.eachLeftover(location, func(path string) error {
		if strings.HasSuffix(path, keySuffix) {
			keys = append(keys, path)
		}
		return nil
	})
	return keys, err
}

// RemoveOrphanedKeys implements certstore.Store.
func (s *Store) RemoveOrphanedKeys(location certstore.Location) (int, error) {
	removed := 0
	err := s.eachLeftover(location, func(path string) error {
		err := os.Remove(path)
		if err == nil {
			removed++
		}
		return err
	})
	return removed, err
}

// eachLeftover visits the files that a killed process left: Vaultpane's keys without a certificate, and unfinished certificate
// files. It holds the lock of the certificate during a visit. It continues with other files and stores after an error.
func (s *Store) eachLeftover(location certstore.Location, visit func(path string) error) error {
	refs, err := s.Stores(location)
	failed := []error{err}
	for _, ref := range refs {
		folder, err := s.folder(ref)
		if err != nil {
			continue
		}
		files, err := os.ReadDir(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			failed = append(failed, failure("listing private keys without certificate", ref, err))
		}
		for _, file := range files {
			if err := s.visitLeftover(folder, file.Name(), visit); err != nil {
				failed = append(failed, failure("checking "+file.Name(), ref, err))
			}
		}
	}
	return errors.Join(failed...)
}

func (s *Store) visitLeftover(folder, name string, visit func(path string) error) error {
	thumbprint, suffix, _ := strings.Cut(name, ".")
	suffix = "." + suffix
	if !thumbprintPattern.MatchString(thumbprint) || suffix != keySuffix && suffix != certificateSuffix+atomicfile.UnfinishedSuffix {
		return nil
	}
	defer s.lock(thumbprint)()
	path := filepath.Join(folder, name)
	if info, err := os.Lstat(path); err != nil || time.Since(info.ModTime()).Abs() < minAge {
		return ignoreMissing(err)
	}
	if suffix == keySuffix {
		orphaned, err := isOrphanedKey(path, filepath.Join(folder, thumbprint)+certificateSuffix)
		if err != nil || !orphaned {
			return err
		}
	}
	return visit(path)
}

// minAge is the age from which a file counts as left over: another program may be about to write its certificate.
const minAge = 5 * time.Second

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// isOrphanedKey reports whether a file is one of Vaultpane's keys, or the beginning of one, and no file exists in the place of its
// certificate.
func isOrphanedKey(path, certificate string) (bool, error) {
	if _, err := os.Lstat(certificate); !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return false, err
	}
	file, err := os.Open(path)
	if err != nil {
		return false, err
	}
	beginning, err := io.ReadAll(io.LimitReader(file, int64(len(ownKeyLine))))
	if err = errors.Join(err, file.Close()); err != nil {
		return false, err
	}
	return bytes.HasPrefix([]byte(ownKeyLine), beginning), nil
}
