package standalone

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/settings"
)

// suffixes are those of settings files in a folder. Files with other names, and those whose name begins with a dot, are not read:
// a mounted ConfigMap and many editors have such files.
var suffixes = []string{".json", ".yaml", ".yml", ".settings"}

// Files are the settings files. Look reads them anew each time, so that nothing depends on having seen a change.
type Files struct {
	// Paths are files, and folders whose files are read; folders in them are not.
	Paths []string
	// Previous are the generations that the agent before this one had processed, by certificate. Of two files that contradict each
	// other at the start, the one whose certificates have them was in use.
	Previous map[string]int64
	// Check rejects a file for what does not work on this machine, although it is valid; nil for no check.
	Check func(settings.File) error

	known   map[string]*file
	changed bool             // something, since the last look
	reader  *settings.Reader // during a look at changed files only: it takes 8 MB
}

// file is a settings file, as it was last read.
type file struct {
	path     string
	content  []byte
	read     *settings.File // its content, nil where that is wrong
	accepted *settings.File // what was last in use, which stays while the content is wrong
	problem  error          // what is wrong with the content
}

// Found is the result of reading the files.
type Found struct {
	// Certificates are those of all files: of a wrong file, those that it had when it was last right.
	Certificates []v1alpha1.ObservedCertificate
	// Problems say what is wrong, a text of one line each, sorted.
	Problems []string
	// Notes say what was understood although it should be written otherwise, likewise.
	Notes []string
	// Incomplete says that there may be other certificates than these: a path is missing, or the newest content of a file is not in
	// use. Nothing is removed then.
	Incomplete bool
	// Unread says that a path or a file was not right yet, so that certificates are missing from the start.
	Unread bool
	// Changed says that something has changed since the last look.
	Changed bool
}

// Look reads the files. A file that is missing in its folder has no certificates any more. A path that is missing altogether, a
// folder without a settings file, and a file that is wrong change nothing.
func (f *Files) Look() Found {
	if f.known == nil {
		f.known = map[string]*file{}
	}
	var found Found
	for _, path := range f.Paths {
		present, err := f.list(path)
		if err != nil {
			found.Problems, found.Incomplete = append(found.Problems, err.Error()), true
			found.Unread = found.Unread || !f.forget(path)
			continue
		}
		maps.DeleteFunc(f.known, func(known string, _ *file) bool {
			gone := belongsTo(known, path) && !slices.Contains(present, known) && !slices.Contains(f.Paths, known)
			f.changed = f.changed || gone
			return gone
		})
		for _, one := range present {
			f.read(one)
		}
	}
	f.reader = nil
	f.combine(&found)
	found.Changed, f.changed = f.changed, false
	for _, texts := range []*[]string{&found.Problems, &found.Notes} {
		slices.Sort(*texts)
		*texts = slices.Compact(*texts)
	}
	return found
}

// forget has the files of a path that is missing stay as they were last right, and reports whether there are any. What was wrong with
// them is no longer of interest.
func (f *Files) forget(path string) (known bool) {
	for name, one := range f.known {
		if belongsTo(name, path) {
			one.content, one.read, one.problem = nil, nil, nil
			known = known || one.accepted != nil
		}
	}
	return known
}

// belongsTo reports whether a file is the path itself, or in the folder that the path is.
func belongsTo(file, path string) bool {
	return file == path || filepath.Dir(file) == filepath.Clean(path)
}

// list returns the settings files of a path.
func (f *Files) list(path string) ([]string, error) {
	const stays = "; what was in use before stays, and nothing is removed"
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w%s until it is back", path, cause(err), stays)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	entries, err := os.ReadDir(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be listed: %w%s until it can", path, cause(err), stays)
	}
	var present []string
	for _, entry := range entries {
		name := entry.Name()
		if !strings.HasPrefix(name, ".") && slices.Contains(suffixes, strings.ToLower(filepath.Ext(name))) && !isFolder(filepath.Join(path, name)) {
			present = append(present, filepath.Join(path, name))
		}
	}
	if len(present) == 0 {
		return nil, fmt.Errorf("%s has no settings file (%s)%s; to have no certificates, write a file with an empty list: {\"observedCertificates\": []}",
			path, strings.Join(suffixes, ", "), stays)
	}
	return present, nil
}

// isFolder follows symbolic links: the files of a mounted ConfigMap are links.
func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// cause returns the system's error without the operation and path, which the caller names.
func cause(err error) error {
	if failed, ok := err.(*os.PathError); ok { //nolint:errorlint // os returns it unwrapped
		return failed.Err
	}
	return err
}

// read reads one file, unless its content is the same as before.
func (f *Files) read(path string) {
	known := f.known[path]
	if known == nil {
		known = &file{path: path}
		f.known[path] = known
	}
	content, err := settings.Load(path)
	if err == nil && bytes.Equal(content, known.content) && (known.read != nil || known.problem != nil) {
		return
	}
	known.content, known.read, known.problem = content, nil, err
	f.changed = true
	if err != nil {
		return
	}
	read, err := f.parse(path, content)
	if err != nil {
		known.problem = err
		return
	}
	known.read = &read
}

func (f *Files) parse(path string, content []byte) (settings.File, error) {
	if f.reader == nil {
		var err error
		if f.reader, err = settings.NewReader(); err != nil {
			return settings.File{}, err
		}
	}
	read, err := f.reader.Read(path, content)
	if err == nil && f.Check != nil {
		err = f.Check(read)
	}
	return read, err
}
