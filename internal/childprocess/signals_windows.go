package childprocess

import (
	"os"
	"os/signal"
	"syscall"
)

// Signals subscribes to the console's events, which no longer end this process: Ctrl+C and Ctrl+Break (os.Interrupt), and the
// closing of the console, the end of a session and the system's shutdown (syscall.SIGTERM,
// https://pkg.go.dev/os/signal#hdr-Windows). stop ends the subscription.
//
// The program receives these events from the console itself: they go to all processes attached to it
// (https://learn.microsoft.com/windows/console/setconsolectrlhandler). In a container, the runtime sends CTRL_SHUTDOWN_EVENT to all
// processes. The agent waits for the program's end. After the last three events Windows ends both some seconds later
// (https://learn.microsoft.com/windows/console/handlerroutine).
func Signals() (signals <-chan os.Signal, stop func()) {
	received := make(chan os.Signal, 32)
	signal.Notify(received, os.Interrupt, syscall.SIGTERM)
	return received, func() { signal.Stop(received) }
}
