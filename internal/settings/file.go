package settings

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// MaxSize is how large a file may be, in bytes. It holds about 10,000 certificates.
const MaxSize = 4 << 20

// ReadFile reads a file from disk. A file that cannot be read, is a directory or is larger than MaxSize is a Problem too.
func (r *Reader) ReadFile(path string) (File, error) {
	content, err := Load(path)
	if err != nil {
		return File{Path: path}, err
	}
	return r.Read(path, content)
}

// Load returns a file's content, for Read. Its error is a Problems, as that of ReadFile.
func Load(path string) ([]byte, error) {
	content, err := load(path)
	if err != nil {
		return nil, Problems{unreadable(path, err)}
	}
	return content, nil
}

// Errors of load besides those of the system.
var (
	errDirectory = errors.New("is a directory")
	errTooLarge  = errors.New("is too large")
	// errNotRegular is for pipes, sockets and devices.
	errNotRegular = errors.New("is not a regular file")
)

func load(path string) ([]byte, error) {
	info, err := os.Stat(path) // first: opening a pipe would wait for its writer
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errDirectory
	case !info.Mode().IsRegular():
		return nil, errNotRegular
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	content, err := io.ReadAll(io.LimitReader(file, MaxSize+1))
	if err == nil && len(content) > MaxSize {
		err = errTooLarge
	}
	return content, err
}

func unreadable(path string, err error) Problem {
	text := fmt.Sprintf("the file cannot be read: %v", err)
	switch {
	case errors.Is(err, errDirectory):
		text = "this is a directory, must be a file; name each settings file in it"
	case errors.Is(err, errNotRegular):
		text = "this is a pipe, a socket or a device, must be a regular file"
	case errors.Is(err, errTooLarge):
		text = fmt.Sprintf("the file is larger than %d MiB, so it is hardly a settings file; name the right file, or split it", MaxSize>>20)
	case errors.Is(err, fs.ErrNotExist):
		text = "the file does not exist; correct the path"
	case errors.Is(err, fs.ErrPermission):
		text = "the account that runs this program may not read the file; give it read permission"
	}
	return Problem{File: path, Text: text}
}
