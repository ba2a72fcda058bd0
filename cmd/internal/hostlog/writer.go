// Package hostlog keeps the agent's log on the node itself: one file a day, in a folder that kubelet serves. It is written in
// addition to stdout, which may be lost with the pod. It never delays the agent: lines are written in the background, and are
// dropped while the disk is full or slow, or the folder does not exist.
//
// Libraries that rotate logs do so by size, and name files by number or by the moment of rotation
// (https://pkg.go.dev/gopkg.in/natefinch/lumberjack.v2), and their writers block and fail, so this one is our own.
package hostlog

import (
	"bytes"
	"errors"
	"os"
	"sync/atomic"
	"time"
)

const (
	// queueLength is how many lines wait for the disk before further lines are dropped: some seconds of a busy agent.
	queueLength = 1024
	// queueBytes is how many bytes wait for the disk: from --log-level 8 on, client-go logs whole lists in one line.
	queueBytes = 8 << 20
	// retryInterval is the time between two attempts after an error, and between two reports of dropped lines.
	retryInterval = time.Minute
	// closeTime is how long Close waits for the disk. A HostProcess container has less than 5 s to end.
	closeTime = time.Second
)

// DefaultBound is the maximum size of a day's file, in bytes: two weeks are 700 MiB at most. An agent with 100 certificates writes
// some kilobytes a day.
const DefaultBound = 50 << 20

// Options configure a Writer.
type Options struct {
	// Folder is created where it does not exist.
	Folder string
	// Keep is how many days files are kept after their day. Only files with a name of this package are deleted.
	Keep int
	// Bound is the maximum size of a day's file, in bytes; further lines of that day are dropped.
	Bound int64
	// Tell is called when writing begins to fail and when it recovers, once each, with pairs of keys and values as logr has
	// them. It may log to this Writer.
	Tell func(message string, keysAndValues ...any)
	// Opened is called with each file that is opened, before a line is written to it; nil for no call. The file is closed later.
	Opened func(*os.File)
	// Now is the clock.
	Now func() time.Time
}

// Writer writes log lines. It is safe for concurrent use.
type Writer struct {
	options Options
	file    file
	queue   chan []byte
	stop    chan struct{}
	stopped chan struct{}
	waiting atomic.Int64 // bytes in the queue
	left    atomic.Int64 // lines dropped and not reported yet

	failure  error // reported, and not over yet
	retry    time.Time
	reported time.Time // when dropped lines were last reported
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

// Close writes the queued lines, for a second at most. Lines that are written after it are lost.
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
			for len(w.queue) > 0 { // this is the only reader
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

// put writes a line, or drops it.
func (w *Writer) put(line []byte, now time.Time) {
	// A clock that is set back must not stop the log for hours: retry is never further away than retryInterval.
	if w.failure != nil && now.Before(w.retry) && w.retry.Sub(now) <= retryInterval {
		w.left.Add(1)
		return
	}
	unswept := w.file.sweep(now) // first: it may free the space that a full disk lacks
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

// fail reports a failure when it begins, and when its kind changes.
func (w *Writer) fail(err error, now time.Time) {
	w.retry = now.Add(retryInterval)
	w.file.swept = "" // again with the next attempt
	if w.failure == nil || errors.Is(err, errFull) != errors.Is(w.failure, errFull) {
		w.options.Tell("Cannot write the host log; continuing without it", "folder", w.options.Folder, "cause", err.Error())
	}
	w.failure = err
}

// succeed reports recovery, and lines that were dropped because the disk was slow.
func (w *Writer) succeed(now time.Time) {
	if w.failure == nil && (w.left.Load() == 0 || now.Sub(w.reported).Abs() < retryInterval) {
		return
	}
	w.failure, w.reported = nil, now
	w.options.Tell("The host log is being written again", "folder", w.options.Folder, "linesDropped", w.left.Swap(0))
}
