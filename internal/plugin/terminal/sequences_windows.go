package terminal

import (
	"os"

	"golang.org/x/sys/windows"
)

// takesSequences has a console interpret control sequences (ENABLE_VIRTUAL_TERMINAL_PROCESSING), and reports whether it does.
// https://learn.microsoft.com/en-us/windows/console/setconsolemode
func takesSequences(out *os.File) bool {
	var mode uint32
	console := windows.Handle(out.Fd())
	if err := windows.GetConsoleMode(console, &mode); err != nil {
		return false
	}
	return windows.SetConsoleMode(console, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING) == nil
}
