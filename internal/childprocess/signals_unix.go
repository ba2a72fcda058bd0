//go:build !windows

package childprocess

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// forwarded are the signals that programs give a meaning to, such as SIGHUP for reading their configuration again and SIGWINCH
// for a graceful stop (httpd). The others are this process's own: SIGCHLD is about its child, SIGPIPE about its own writes, and
// SIGURG interrupts goroutines (https://pkg.go.dev/os/signal). SIGSTOP and SIGKILL cannot be caught.
var forwarded = []os.Signal{
	unix.SIGTERM, unix.SIGINT, unix.SIGQUIT, unix.SIGHUP, unix.SIGUSR1, unix.SIGUSR2, unix.SIGWINCH,
}

// Signals subscribes to the signals that Run forwards; they no longer end this process. stop ends the subscription. A signal
// that this process was started to ignore, as nohup does, stays ignored, and the program inherits that.
func Signals() (signals <-chan os.Signal, stop func()) {
	received := make(chan os.Signal, 32) // signals that come faster than they are forwarded
	for _, sig := range forwarded {
		if !signal.Ignored(sig) {
			signal.Notify(received, sig)
		}
	}
	return received, func() { signal.Stop(received) }
}

// sentByTerminal reports whether the program has received a signal as well, from the terminal: Ctrl+C and Ctrl+\ reach all
// processes of the terminal's foreground process group (termios(3), ISIG), and the program is in the agent's. Forwarding would
// send it twice, which many programs take for an order to end at once. So `kill -INT` of an agent in the foreground does not
// reach its program.
//
// SIGWINCH and SIGHUP are forwarded even so: a second one does no harm, and a container with a terminal is sent them by its
// runtime.
func sentByTerminal(sig os.Signal) bool {
	if sig != unix.SIGINT && sig != unix.SIGQUIT {
		return false
	}
	foreground, err := unix.IoctlGetInt(unix.Stdin, unix.TIOCGPGRP) // fails where stdin is not this session's terminal
	return err == nil && foreground == unix.Getpgrp()
}
