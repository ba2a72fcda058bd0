package directory

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"

	"github.com/vaultpane/vaultpane/internal/certstore"
)

// Store is a certificate store in a directory. Make it with New.
type Store struct {
	root  string
	locks [64]sync.Mutex // by thumbprint, to serialize the writes of one certificate
	cache cache
}

var _ certstore.Store = (*Store)(nil)

// New returns the store in a directory, which the first installation creates. The path must be absolute.
func New(root string) (*Store, error) {
	if !filepath.IsAbs(root) {
		return nil, fmt.Errorf("the certificate store's directory %q is not an absolute path", root)
	}
	return &Store{root: root}, nil
}

// thumbprintPattern matches the file names of certificates, so that other files are ignored.
var thumbprintPattern = regexp.MustCompile(`^[0-9A-F]{40}$`)

// List implements certstore.Store.
func (s *Store) List(ref certstore.Ref) ([]certstore.Entry, error) {
	folder, err := s.folder(ref)
	if err != nil {
		return nil, err
	}
	files, err := os.ReadDir(folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, failure("listing the certificates", ref, err)
	}
	var entries []certstore.Entry
	for _, file := range files {
		thumbprint, isCertificate := strings.CutSuffix(file.Name(), certificateSuffix)
		if !isCertificate {
			continue
		}
		entry, err := s.Find(ref, thumbprint)
		switch {
		case errors.Is(err, errNoFile), errors.Is(err, fs.ErrPermission):
			// It must not hide other certificates. Find and Install return the error.
		case err != nil:
			return nil, err // the content of the store is unknown, as when no file can be opened
		case entry != nil:
			entries = append(entries, *entry)
		}
	}
	return entries, nil
}

// Find implements certstore.Store.
func (s *Store) Find(ref certstore.Ref, thumbprint string) (*certstore.Entry, error) {
	folder, err := s.folder(ref)
	if err != nil {
		return nil, err
	}
	if !thumbprintPattern.MatchString(thumbprint) {
		return nil, nil
	}
	entry, err := s.cache.read(filepath.Join(folder, thumbprint))
	if err != nil {
		return nil, failure("reading certificate "+thumbprint, ref, err)
	}
	return entry, nil
}

// Install implements certstore.Store.
func (s *Store) Install(ref certstore.Ref, item certstore.Item) (*certstore.Entry, error) {
	folder, err := s.folder(ref)
	if err != nil {
		return nil, err
	}
	thumbprint := certstore.Thumbprint(item.Certificate)
	defer s.lock(thumbprint)()
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, failure("creating the store", ref, err)
	}
	path := filepath.Join(folder, thumbprint)
	if item.Key != nil {
		if err := s.writeKey(path, item); err != nil {
			return nil, failure("writing the private key of "+thumbprint, ref, err)
		}
	}
	if err := replaceFile(path+certificateSuffix, renewed(path+certificateSuffix, item).encode()); err != nil {
		return nil, failure("writing certificate "+thumbprint, ref, err)
	}
	entry, err := s.Find(ref, thumbprint)
	if err == nil && entry == nil {
		err = failure("reading certificate "+thumbprint+" back", ref, fs.ErrNotExist)
	}
	return entry, err
}

// renewed returns the document of an item. An existing document keeps its link, which is a separate property.
func renewed(path string, item certstore.Item) document {
	document := document{certificate: item.Certificate, mark: item.Mark.String(), friendlyName: item.FriendlyName, hasKey: item.Key != nil}
	if document.hasKey {
		document.access = item.Access
	}
	if before, err := readDocument(path); err == nil { // otherwise it is new or damaged
		document.successor = before.successor
	}
	return document
}

// writeKey writes the key if it does not exist yet. It uses no temporary file, which a crash would leave behind: the certificate is
// written after it, so no program reads an incomplete key.
func (s *Store) writeKey(path string, item certstore.Item) error {
	if keyOpens(path+keySuffix, item.Certificate) {
		return nil
	}
	return writeKeyFile(path+keySuffix, item.Key)
}

// Update implements certstore.Store.
func (s *Store) Update(ref certstore.Ref, thumbprint string, change certstore.Change) (*certstore.Entry, error) {
	folder, err := s.folder(ref)
	if err != nil {
		return nil, err
	}
	defer s.lock(thumbprint)()
	path := filepath.Join(folder, thumbprint) + certificateSuffix
	read, err := readDocument(path)
	if err == nil {
		err = replaceFile(path, read.change(change).encode())
	}
	if err != nil {
		return nil, failure("changing the properties of "+thumbprint, ref, err)
	}
	return s.Find(ref, thumbprint)
}

// Remove implements certstore.Store.
func (s *Store) Remove(ref certstore.Ref, thumbprint string) error {
	folder, err := s.folder(ref)
	if err != nil {
		return err
	}
	defer s.lock(thumbprint)()
	path := filepath.Join(folder, thumbprint)
	for _, suffix := range []string{certificateSuffix, keySuffix} { // first the certificate, so that it is never without its key
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return failure("removing certificate "+thumbprint, ref, err)
		}
	}
	s.cache.forget(path)
	return nil
}

// Stores implements certstore.Store.
func (s *Store) Stores(location certstore.Location) ([]certstore.Ref, error) {
	folders, err := os.ReadDir(filepath.Join(s.root, string(location)))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, failure("listing the stores", certstore.Ref{Location: location}, err)
	}
	var refs []certstore.Ref
	for _, folder := range folders {
		if folder.IsDir() {
			refs = append(refs, certstore.Ref{Location: location, Name: folder.Name()})
		}
	}
	return refs, nil
}

// folder returns the directory of a store. Store names are not case-sensitive, as on Windows.
func (s *Store) folder(ref certstore.Ref) (string, error) {
	name := strings.ToUpper(ref.Name)
	if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\\\x00") {
		return "", &certstore.Error{Operation: "opening the store", Ref: ref, Unsupported: true, Err: fmt.Errorf("%q cannot be the name of a directory", ref.Name)}
	}
	return filepath.Join(s.root, string(ref.Location), name), nil
}

// lock locks a certificate for writing until the returned function is called.
func (s *Store) lock(thumbprint string) (unlock func()) {
	sum := 0
	for _, digit := range thumbprint {
		sum += int(digit)
	}
	mutex := &s.locks[sum%len(s.locks)]
	mutex.Lock()
	return mutex.Unlock
}

func failure(operation string, ref certstore.Ref, err error) error {
	return &certstore.Error{Operation: operation, Ref: ref, Denied: errors.Is(err, fs.ErrPermission), Err: err}
}
