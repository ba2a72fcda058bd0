package main

import (
	"os"
	"syscall"
)

// peakOf returns the most resident memory of a process that has ended, in bytes (getrusage(2): ru_maxrss is in kilobytes). It is at
// least that of this process when it started the other, because the kernel counts from the fork.
func peakOf(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss * 1024
}
