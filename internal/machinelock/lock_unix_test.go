//go:build unix

package machinelock

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// folderOf tells a process of this test's what to lock.
const folderOf = "VAULTPANE_TEST_LOCK_FOLDER"

// TestMain is another process as well, which tries to lock and says how that went by its exit code.
func TestMain(m *testing.M) {
	folder := os.Getenv(folderOf)
	if folder == "" {
		os.Exit(m.Run())
	}
	switch err := try(folder); {
	case err == nil:
		os.Exit(0)
	case errors.Is(err, errHeld):
		os.Exit(7)
	}
	os.Exit(1)
}

// anotherGets reports whether another process can lock a folder.
func anotherGets(t *testing.T, folder string) bool {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), folderOf+"="+folder)
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 7) {
		t.Fatal(err)
	}
	return err == nil
}

// release gives up what this process has locked, as its end does.
func release(t *testing.T) {
	t.Helper()
	for _, file := range held {
		if err := closeFile(file); err != nil {
			t.Error(err)
		}
	}
	held = nil
}

func locked(t *testing.T, folder string) {
	t.Helper()
	if err := try(folder); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { release(t) })
}

func TestOneProcessLocksAFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "store")
	locked(t, folder)
	if anotherGets(t, folder) {
		t.Error("another process locks it too")
	}
	if !anotherGets(t, filepath.Join(filepath.Dir(folder), "other")) {
		t.Error("the lock holds for another folder")
	}
	release(t)
	if !anotherGets(t, folder) {
		t.Error("it stays locked")
	}
}

func TestALookSaysWhetherAnAgentRuns(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "store")
	look := func(when string, want bool) {
		t.Helper()
		if held, err := Held(folder); err != nil || held != want {
			t.Errorf("%s: held is %t, error %v, want %t", when, held, err, want)
		}
	}
	look("before the first agent", false)
	locked(t, folder)
	look("while one runs", true)
	release(t)
	look("afterwards", false)
	if !anotherGets(t, folder) {
		t.Error("the look has kept the lock")
	}
}

func TestTheLockOutlivesTheFolder(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "store")
	locked(t, folder)
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if anotherGets(t, folder) {
		t.Error("after the folder was deleted, another process holds the lock too")
	}
}

// A container has the folder and nothing next to it.
func TestTheFolderIsLockedItself(t *testing.T) {
	parent := t.TempDir()
	folder, view := filepath.Join(parent, "store"), filepath.Join(t.TempDir(), "mounted")
	locked(t, folder)
	if err := os.Symlink(folder, view); err != nil {
		t.Fatal(err)
	}
	if anotherGets(t, view) {
		t.Error("under another name it can be locked again")
	}
}

func TestAFolderThatCannotBeWrittenToIsLocked(t *testing.T) {
	if os.Getuid() == 0 {
		readOnly(t)
		return
	}
	parent := t.TempDir()
	folder := filepath.Join(parent, "store")
	if err := os.Mkdir(folder, 0o500); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(parent, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.Chmod(parent, 0o700) })
	locked(t, folder)
	if anotherGets(t, folder) {
		t.Error("another process locks it too")
	}
}

// readOnly shows the same to root, whom modes do not stop: the folders that the kernel provides cannot be written to.
func readOnly(t *testing.T) {
	t.Helper()
	const folder = "/proc/self"
	if err := try(folder); err != nil {
		t.Errorf("a folder that cannot be written to ends the agent: %v", err)
	}
	release(t)
}
