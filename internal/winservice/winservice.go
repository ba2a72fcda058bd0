// Package winservice installs, controls and runs the agent as a Windows service
// (https://learn.microsoft.com/windows/win32/services/services). On other systems its functions return ErrUnsupported.
package winservice

import (
	"errors"
	"fmt"
	"strings"
)

// ErrUnsupported is the error of every function on other systems than Windows.
var ErrUnsupported = errors.New("Windows services exist on Windows only; " + //nolint:staticcheck // ST1005: Windows is a name
	"on Linux use the systemd unit config/systemd/vaultpane-agent.service")

// Config describes a service.
type Config struct {
	// Name identifies the service and its events. At most 256 characters, without slash and backslash.
	Name string
	// DisplayName is its name in the list of services, Name by default. At most 256 characters.
	DisplayName string
	// Description is a sentence for the list of services.
	Description string
	// Executable is the absolute path of the program.
	Executable string
	// Arguments are what the program is started with, unquoted. One must make the program call Run.
	Arguments []string
}

// Status is the state of a service.
type Status struct {
	// Name is the service's.
	Name string
	// Installed is false for a service that does not exist. All fields below are empty then.
	Installed bool
	// State is a phrase, such as "running" or "stopping".
	State string
	// PID is the process that runs the service, or 0.
	PID uint32
	// StartType is a phrase, such as "automatic (delayed)" or "disabled".
	StartType string
	// CommandLine is what the service manager starts, quoted for Windows.
	CommandLine string
	// ExitCode is how the service ended last: 0 for no error, the service's own code, or a Win32 status. It is 0 while it runs.
	ExitCode uint32
}

// String describes the status in lines for people.
func (s Status) String() string {
	if !s.Installed {
		return fmt.Sprintf("service %s: not installed", s.Name)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "service %s: %s", s.Name, s.State)
	if s.PID != 0 {
		fmt.Fprintf(&text, " (process %d)", s.PID)
	}
	fmt.Fprintf(&text, "\nstart: %s\ncommand: %s", s.StartType, s.CommandLine)
	if s.ExitCode != 0 {
		fmt.Fprintf(&text, "\nlast exit code: %d", s.ExitCode)
	}
	return text.String()
}
