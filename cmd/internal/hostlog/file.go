package hostlog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// checkInterval is the time between two checks that the open file still has its name. On Linux, writes to a deleted file succeed.
const checkInterval = time.Minute

// errFull says that the day's file has reached its maximum size.
var errFull = errors.New("the day's file has reached its maximum size")

// file is the file of a day.
type file struct {
	folder string
	keep   int   // days
	bound  int64 // bytes
	opened func(*os.File)

	handle  *os.File
	name    string
	size    int64
	checked time.Time
	torn    bool   // the last line was written only in part
	swept   string // the name of the day on which old files were deleted
}

// append writes a line to the file of now, which it opens or changes as needed. It returns errFull when the line does not
// fit, and closes the file after any other error, so that the next call opens it again.
func (f *file) append(line []byte, now time.Time) error {
	if err := f.ready(now); err != nil {
		f.close()
		return err
	}
	if f.torn {
		line = append([]byte("\n"), line...)
	}
	if f.size+int64(len(line)) > f.bound {
		return errFull
	}
	written, err := f.handle.Write(line)
	f.size += int64(written)
	if written > 0 {
		f.torn = written < len(line)
	}
	if err != nil {
		f.close()
		return err
	}
	return nil
}

// ready opens the day's file where it is not open.
func (f *file) ready(now time.Time) error {
	if f.handle != nil && f.name == nameOf(now) && now.Sub(f.checked).Abs() < checkInterval {
		return nil
	}
	if f.handle != nil && f.name == nameOf(now) && f.inPlace() {
		f.checked = now
		return nil
	}
	f.close()
	return f.open(now)
}

func (f *file) inPlace() bool {
	there, err := os.Stat(filepath.Join(f.folder, f.name))
	if err != nil {
		return false
	}
	open, err := f.handle.Stat()
	return err == nil && os.SameFile(there, open)
}

func (f *file) open(now time.Time) error {
	if err := os.MkdirAll(f.folder, 0o700); err != nil {
		return fmt.Errorf("creating the folder: %w", err)
	}
	name := nameOf(now)
	handle, err := os.OpenFile(filepath.Join(f.folder, name), os.O_CREATE|os.O_APPEND|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	info, err := handle.Stat()
	if err != nil {
		_ = handle.Close()
		return fmt.Errorf("reading its size: %w", err)
	}
	f.handle, f.name, f.size, f.checked = handle, name, info.Size(), now
	f.torn = torn(handle, f.size)
	if f.opened != nil {
		f.opened(handle)
	}
	return nil
}

// torn reports whether the last line is incomplete: its writer was killed, the disk accepted only a part, or another process is
// just writing it. In the last case an empty line follows it, which is harmless.
func torn(file io.ReaderAt, size int64) bool {
	last := make([]byte, 1)
	_, err := file.ReadAt(last, size-1)
	return err == nil && last[0] != '\n'
}

func (f *file) close() {
	if f.handle != nil {
		_ = f.handle.Close() // nothing is buffered
		f.handle = nil
	}
}

// sweep deletes expired files, once a day. It continues after an error, and returns the first.
func (f *file) sweep(now time.Time) error {
	if f.swept == nameOf(now) {
		return nil
	}
	f.swept = nameOf(now)
	entries, err := os.ReadDir(f.folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	var names []string
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			names = append(names, entry.Name())
		}
	}
	var first error
	for _, name := range expired(names, now, f.keep) {
		if err := os.Remove(filepath.Join(f.folder, name)); err != nil && first == nil {
			first = err
		}
	}
	return first
}
