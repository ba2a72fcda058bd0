package main

import (
	"os"
	"syscall"
)

// peakOf returns the most resident memory of a process that has ended, in bytes (getrusage(2): ru_maxrss is in kilobytes).
func peakOf(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return usage.Maxrss * 1024
}
