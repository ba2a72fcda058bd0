package hostlog

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/vaultpane/vaultpane/test/winetest"
)

// world is a host log and what it told.
type world struct {
	t      *testing.T
	writer *Writer

	mu   sync.Mutex
	told []string
}

// newWorld returns a host log whose lines are written by the test's own goroutine.
func newWorld(t *testing.T, folder string, bound int64) *world {
	w := &world{t: t}
	now := func() time.Time { return at("2026-03-01T10:00:00Z") }
	w.writer = newWriter(Options{Folder: folder, Keep: 14, Bound: bound, Tell: w.tell, Now: now})
	t.Cleanup(w.writer.file.close)
	return w
}

func (w *world) tell(message string, keysAndValues ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i := 2; i < len(keysAndValues); i += 2 { // but the folder
		message += fmt.Sprintf(" %v=%v", keysAndValues[i], keysAndValues[i+1])
	}
	w.told = append(w.told, message)
}

// log writes lines at a moment, or leaves them out.
func (w *world) log(moment string, lines ...string) {
	for _, line := range lines {
		w.writer.put([]byte(line+"\n"), at(moment))
	}
}

func (w *world) wantTold(want ...string) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.told) != len(want) {
		w.t.Fatalf("told %q, want %q", w.told, want)
	}
	for i := range want {
		if !strings.Contains(w.told[i], want[i]) {
			w.t.Errorf("told %q, want %q in it", w.told[i], want[i])
		}
	}
	w.told = nil
}

func read(t *testing.T, folder string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		files[entry.Name()] = string(content)
	}
	return files
}

func wantFiles(t *testing.T, folder string, want map[string]string) {
	t.Helper()
	if diff := cmp.Diff(want, read(t, folder)); diff != "" {
		t.Error(diff)
	}
}

func TestEachDayHasItsFile(t *testing.T) {
	folder := filepath.Join(winetest.TempDir(t), "var", "log", "vaultpane")
	w := newWorld(t, folder, DefaultBound)
	w.log("2026-03-01T23:59:59Z", "one", "zwei: Schlüssel für „Wëb“")
	w.log("2026-03-02T00:00:00Z", "three")
	w = newWorld(t, folder, DefaultBound) // a restart goes on with the file
	w.log("2026-03-02T10:00:00Z", "four")
	wantFiles(t, folder, map[string]string{
		"vaultpane_service_2026-03-01.log": "one\nzwei: Schlüssel für „Wëb“\n",
		"vaultpane_service_2026-03-02.log": "three\nfour\n",
	})
	for name, content := range read(t, folder) {
		if !utf8.ValidString(content) {
			t.Errorf("%s is not UTF-8", name)
		}
	}
	w.wantTold()
}

func TestOnlyOldFilesOfItsOwnAreDeleted(t *testing.T) {
	folder := winetest.TempDir(t)
	for _, name := range []string{"vaultpane_service_2026-02-14.log", "vaultpane_service_2026-02-15.log", "akvvm_service_2020-01-01.log", "notes.txt"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// A folder that is named like a file of ours is none.
	if err := os.Mkdir(filepath.Join(folder, "vaultpane_service_2020-01-01.log"), 0o700); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, folder, DefaultBound)
	w.log("2026-03-01T10:00:00Z", "one")
	w.log("2026-03-02T10:00:00Z", "two")
	if err := os.Remove(filepath.Join(folder, "vaultpane_service_2020-01-01.log")); err != nil {
		t.Errorf("the folder: %v", err)
	}
	wantFiles(t, folder, map[string]string{
		"vaultpane_service_2026-03-01.log": "one\n", "vaultpane_service_2026-03-02.log": "two\n",
		"akvvm_service_2020-01-01.log": "", "notes.txt": "",
	})
	w.wantTold()
}

func TestAFolderThatCannotBeIsToldOfOnceAndTriedAgain(t *testing.T) {
	place := filepath.Join(winetest.TempDir(t), "log")
	if err := os.WriteFile(place, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, filepath.Join(place, "vaultpane"), DefaultBound)
	w.log("2026-03-01T10:00:00Z", "one", "two")
	w.log("2026-03-01T10:02:00Z", "three") // tried again
	w.wantTold("Cannot write the host log; continuing without it")
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	w.log("2026-03-01T10:02:30Z", "four") // not yet tried again
	w.log("2026-03-01T10:03:00Z", "five", "six")
	w.wantTold("The host log is being written again linesDropped=4")
	wantFiles(t, filepath.Join(place, "vaultpane"), map[string]string{"vaultpane_service_2026-03-01.log": "five\nsix\n"})
}

func TestAClockThatIsSetBackDoesNotKeepItWaiting(t *testing.T) {
	place := filepath.Join(winetest.TempDir(t), "log")
	if err := os.WriteFile(place, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, place, DefaultBound)
	w.log("2030-03-01T10:00:00Z", "one")
	if err := os.Remove(place); err != nil {
		t.Fatal(err)
	}
	w.log("2026-03-01T10:00:00Z", "two")
	wantFiles(t, place, map[string]string{"vaultpane_service_2026-03-01.log": "two\n"})
}

func TestADeletedFileIsMadeAnew(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("a file that is open cannot be deleted there")
	}
	folder := filepath.Join(winetest.TempDir(t), "log")
	w := newWorld(t, folder, DefaultBound)
	w.log("2026-03-01T10:00:00Z", "one")
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	w.log("2026-03-01T10:01:00Z", "two")
	wantFiles(t, folder, map[string]string{"vaultpane_service_2026-03-01.log": "two\n"})
	w.wantTold()
}

func TestAFullDisk(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("/dev/full is a device of Linux")
	}
	folder := winetest.TempDir(t)
	name := filepath.Join(folder, "vaultpane_service_2026-03-01.log")
	if err := os.Symlink("/dev/full", name); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, folder, DefaultBound)
	w.log("2026-03-01T10:00:00Z", "one", "two")
	w.log("2026-03-01T10:05:00Z", "three")
	w.wantTold("no space left on device")
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	w.log("2026-03-01T10:06:00Z", "four")
	w.wantTold("The host log is being written again linesDropped=3")
	wantFiles(t, folder, map[string]string{"vaultpane_service_2026-03-01.log": "four\n"})
}

func TestADaysFileHasABound(t *testing.T) {
	folder := winetest.TempDir(t)
	w := newWorld(t, folder, 10)
	w.log("2026-03-01T10:00:00Z", "1234", "1234", "5")
	w.log("2026-03-01T12:00:00Z", "6")
	w.wantTold("has reached its maximum size")
	w.log("2026-03-02T00:00:00Z", "7")
	w.wantTold("The host log is being written again linesDropped=2")
	wantFiles(t, folder, map[string]string{"vaultpane_service_2026-03-01.log": "1234\n1234\n", "vaultpane_service_2026-03-02.log": "7\n"})
}

// Old files may be what fills the disk.
func TestAFullDiskGetsRidOfOldFiles(t *testing.T) {
	folder := winetest.TempDir(t)
	w := newWorld(t, folder, 0) // takes no line
	w.log("2026-03-01T10:00:00Z", "one")
	old := filepath.Join(folder, "vaultpane_service_2026-02-01.log")
	if err := os.WriteFile(old, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w.log("2026-03-01T10:01:00Z", "two")
	wantFiles(t, folder, map[string]string{"vaultpane_service_2026-03-01.log": ""})
	w.wantTold("Cannot write the host log; continuing without it")
}

func TestALineThatAnotherProcessLeftWithoutItsEndEndsBeforeTheNext(t *testing.T) {
	folder := winetest.TempDir(t)
	name := filepath.Join(folder, "vaultpane_service_2026-03-01.log")
	if err := os.WriteFile(name, []byte("half of a li"), 0o600); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, folder, DefaultBound)
	w.log("2026-03-01T10:00:00Z", "one", "two")
	wantFiles(t, folder, map[string]string{"vaultpane_service_2026-03-01.log": "half of a li\none\ntwo\n"})
}

// During an upgrade the old pod and the new one write to one file.
func TestTwoProcessesWriteWholeLinesToOneFile(t *testing.T) {
	if winetest.OnWine() {
		t.Skip("Wine finds the end of a file and writes there in two steps, so two writers mix their lines; Windows and Linux append in one")
	}
	const lines = 100
	folder := winetest.TempDir(t)
	writers := []*world{newWorld(t, folder, DefaultBound), newWorld(t, folder, DefaultBound)}
	var both sync.WaitGroup
	for i, w := range writers {
		both.Go(func() {
			for range lines {
				w.log("2026-03-01T10:00:00Z", strings.Repeat(fmt.Sprint(i), 1000))
			}
		})
	}
	both.Wait()
	got := map[string]int{}
	for line := range strings.Lines(read(t, folder)["vaultpane_service_2026-03-01.log"]) {
		got[line]++
	}
	// A process that opens the file while the other's line is on its way sees a line without its end, and ends it.
	delete(got, "\n")
	want := map[string]int{strings.Repeat("0", 1000) + "\n": lines, strings.Repeat("1", 1000) + "\n": lines}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What waits for a disk that does not answer must not take the agent's memory.
func TestLongLinesWaitUpToABound(t *testing.T) {
	w := newWorld(t, winetest.TempDir(t), DefaultBound) // nothing reads from the queue
	long := []byte(strings.Repeat("x", 1<<20-1) + "\n")
	for range 20 {
		_, _ = w.writer.Write(long)
	}
	if got := len(w.writer.queue); got != 8 {
		t.Errorf("%d lines of 1 MiB wait, want 8", got)
	}
	if got := w.writer.left.Load(); got != 12 {
		t.Errorf("%d lines are left out, want 12", got)
	}
	w.writer.take(<-w.writer.queue)
	_, _ = w.writer.Write(long)
	if got := len(w.writer.queue); got != 8 {
		t.Errorf("%d lines of 1 MiB wait after one was written, want 8", got)
	}
}

func TestALineThatWasCutOffEndsBeforeTheNext(t *testing.T) {
	folder := winetest.TempDir(t)
	f := file{folder: folder, keep: 14, bound: DefaultBound}
	now := at("2026-03-01T10:00:00Z")
	if err := f.append([]byte("half of a li"), now); err != nil {
		t.Fatal(err)
	}
	f.torn = true // as after a write that the disk took in part
	if err := f.append([]byte("whole\n"), now); err != nil {
		t.Fatal(err)
	}
	f.close()
	wantFiles(t, folder, map[string]string{"vaultpane_service_2026-03-01.log": "half of a li\nwhole\n"})
}

// A disk that does not answer must not stop the agent.
func TestWritingNeverWaitsForTheDisk(t *testing.T) {
	folder := winetest.TempDir(t)
	release := make(chan struct{})
	blocked := sync.OnceFunc(func() { <-release })
	w := &world{t: t}
	w.writer = New(Options{Folder: folder, Keep: 14, Bound: DefaultBound, Tell: w.tell, Now: func() time.Time {
		blocked() // the goroutine that writes stands still here
		return at("2026-03-01T10:00:00Z")
	}})
	const lines = 3 * queueLength
	for range lines {
		_, _ = w.writer.Write([]byte("x\n")) // all return, else the test ends by its time limit
	}
	close(release)
	w.writer.Close()
	<-w.writer.stopped // however slow this machine is
	written := strings.Count(read(t, folder)["vaultpane_service_2026-03-01.log"], "x\n")
	if written < queueLength || written > queueLength+1 {
		t.Errorf("%d lines are written, want what the queue holds", written)
	}
	w.wantTold(fmt.Sprintf("The host log is being written again linesDropped=%d", lines-written))
}
