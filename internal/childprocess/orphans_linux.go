package childprocess

import (
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// endWithParent has the kernel kill the program when its parent ends (PR_SET_PDEATHSIG in prctl(2)). The kernel forgets this
// for a program with set-user-ID or file capabilities.
func endWithParent() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Pdeathsig: unix.SIGKILL}
}

// unclaimed is how long a process that ended is left to a part of this process that waits for it. os/exec waits all the time,
// so its own are gone in milliseconds.
const unclaimed = time.Second

// reapOrphans waits for the processes that lost their parent and became this process's, as the first process of a container
// must: else they stay as zombies, which count toward the container's limit of processes. It leaves the program to its own
// wait. The returned function ends it.
func reapOrphans(program int) (stop func()) {
	if !adoptsOrphans() {
		return func() {}
	}
	changes, done := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(changes, unix.SIGCHLD)
	go func() {
		var again <-chan time.Time
		seen := map[int]bool{}
		for {
			select {
			case <-done:
				return
			case <-changes:
				if again == nil {
					again = time.After(unclaimed)
				}
				continue
			case <-again:
			}
			seen, again = reap(program, seen), nil
			if len(seen) > 0 {
				again = time.After(unclaimed)
			}
		}
	}()
	return func() {
		signal.Stop(changes)
		close(done)
	}
}

// reap waits for the zombies that the last look saw too, and returns those that it saw for the first time.
func reap(program int, seen map[int]bool) map[int]bool {
	left := map[int]bool{}
	for _, pid := range zombies() {
		switch {
		case pid == program:
		case seen[pid]:
			_, _ = unix.Wait4(pid, nil, unix.WNOHANG, nil)
		default:
			left[pid] = true
		}
	}
	return left
}

// adoptsOrphans reports whether the kernel makes this process the parent of orphans (PR_SET_CHILD_SUBREAPER in prctl(2)).
func adoptsOrphans() bool {
	var subreaper int32
	err := unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(&subreaper)), 0, 0, 0)
	return os.Getpid() == 1 || err == nil && subreaper != 0
}

// zombies returns this process's children that ended and were not waited for. waitid(2) would show one at a time, always the
// same.
func zombies() []int {
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	var pids []int
	for _, path := range stats {
		text, err := os.ReadFile(path)
		if err != nil {
			continue // it ended
		}
		if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path))); err == nil && isZombieOf(string(text), os.Getpid()) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// isZombieOf reads a line of /proc/<pid>/stat (proc_pid_stat(5)): the state and the parent follow the name, which may contain
// anything, in parentheses.
func isZombieOf(stat string, parent int) bool {
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	return len(fields) > 1 && fields[0] == "Z" && fields[1] == strconv.Itoa(parent)
}
