// Package hostlog keeps the agent's log on the node itself: one file a day, in a folder that kubelet serves. It is written
// beside stdout, which may be gone when the pod is, and never at the agent's cost: lines are written in the background, and
// are left out while the disk is full, slow, or the folder is away.
//
// Libraries that rotate logs do so by size, and name files by number or by the moment of rotation
// (https://pkg.go.dev/gopkg.in/natefinch/lumberjack.v2), and their writers block and fail; so this is our own.
package hostlog

import (
	"bytes"
	"errors"
	"os"
	"sync/atomic"
	"time"
)

const (
	// queueLength is how many lines wait for the disk before further ones are left out: some seconds of a busy agent.
	queueLength = 1024
	// queueBytes is how many bytes wait for the disk: at --log-level 8 and higher client-go logs whole lists in one line.
	queueBytes = 8 << 20
	// retryInterval is the time between two tries after an error, and between two reports of lines left out.
	retryInterval = time.Minute
	// closeTime is how long Close waits for the disk. A HostProcess container has less than 5 s to end.
	closeTime = time.Second
)

// DefaultBound is the size that a day's file may reach: two weeks are 700 MiB at most. An agent of 100 certificates
// writes some kilobytes a day.
const DefaultBound = 50 << 20

// Options say where the log goes.
type Options struct {
	// Folder is made if it is not there.
	Folder string
	// Keep is for how many days files are kept after their day. Only files named as this package names them are deleted.
	Keep int
	// Bound is the size in bytes that a day's file may reach; further lines of that day are left out.
	Bound int64
	// Tell reports trouble and its end, in pairs of keys and values as logr has them: once each, not for every line. It
	// may log to this Writer.
	Tell func(message string, keysAndValues ...any)
	// Opened is told each file that is opened, before a line is written to it; nil for nobody. The file is closed later.
	Opened func(*os.File)
	// Now is the clock.
	Now func() time.Time
}

// Writer takes log lines. It is safe for concurrent use.
type Writer struct {
	options Options
	file    file
	queue   chan []byte
	stop    chan struct{}
	stopped chan struct{}
	waiting atomic.Int64 // bytes in the queue
	left    atomic.Int64 // lines left out and not told of yet

	trouble error // told of, and not over yet
	retry   time.Time
	told    time.Time // when lines left out were told of
}

// New returns a Writer, which runs until Close.
func New(options Options) *Writer {
	w := newWriter(options)
	go w.run()
	return w
}

func newWriter(options Options) *Writer {
	return &Writer{
		options: options,
		file:    file{folder: options.Folder, keep: options.Keep, bound: options.Bound, opened: options.Opened},
		queue:   make(chan []byte, queueLength),
		stop:    make(chan struct{}),
		stopped: make(chan struct{}),
	}
}

// Write takes one line, which ends with a line feed. It never waits for the disk and never fails.
func (w *Writer) Write(line []byte) (int, error) {
	if w.waiting.Add(int64(len(line))) <= queueBytes {
		select {
		case w.queue <- bytes.Clone(line):
			return len(line), nil
		default:
		}
	}
	w.waiting.Add(-int64(len(line)))
	w.left.Add(1)
	return len(line), nil
}

// Close writes what waits, for a second at most. Lines that are written after it are lost.
func (w *Writer) Close() {
	close(w.stop)
	select {
	case <-w.stopped:
	case <-time.After(closeTime):
	}
}

func (w *Writer) run() {
	defer close(w.stopped)
	defer w.file.close()
	for {
		select {
		case line := <-w.queue:
			w.take(line)
		case <-w.stop:
			for len(w.queue) > 0 { // nobody else takes from it
				w.take(<-w.queue)
			}
			return
		}
	}
}

func (w *Writer) take(line []byte) {
	w.put(line, w.options.Now())
	w.waiting.Add(-int64(len(line)))
}

// put writes a line, or leaves it out.
func (w *Writer) put(line []byte, now time.Time) {
	// A clock that is set back must not stop the log for hours: retry is never further away than retryInterval.
	if w.trouble != nil && now.Before(w.retry) && w.retry.Sub(now) <= retryInterval {
		w.left.Add(1)
		return
	}
	unswept := w.file.sweep(now) // first: it may be what a full disk waits for
	if err := w.file.append(line, now); err != nil {
		w.left.Add(1)
		w.fail(err, now)
		return
	}
	if unswept != nil {
		w.options.Tell("Cannot delete old host logs", "folder", w.options.Folder, "cause", unswept.Error())
	}
	w.succeed(now)
}

// fail tells of a trouble when it begins, and when it turns into another one.
func (w *Writer) fail(err error, now time.Time) {
	w.retry = now.Add(retryInterval)
	w.file.swept = "" // with the next try again
	if w.trouble == nil || errors.Is(err, errFull) != errors.Is(w.trouble, errFull) {
		w.options.Tell("Cannot write the host log, going on without", "folder", w.options.Folder, "cause", err.Error())
	}
	w.trouble = err
}

// succeed tells of the end of a trouble, and of lines that were left out because the disk was slow.
func (w *Writer) succeed(now time.Time) {
	if w.trouble == nil && (w.left.Load() == 0 || now.Sub(w.told).Abs() < retryInterval) {
		return
	}
	w.trouble, w.told = nil, now
	w.options.Tell("The host log is written again", "folder", w.options.Folder, "linesLeftOut", w.left.Swap(0))
}
