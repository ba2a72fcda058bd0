// Package usedby decides what keeps the programs of a machine on the current version of a certificate (spec.usedBy), as a pure
// function, and defines the interface to these programs. The implementation for Windows is certstore/windows.
//
// The list of programs is closed, and nothing in it runs a command of the spec's author: whoever may write an ObservedCertificate
// must not thereby run code as SYSTEM.
package usedby

import (
	"context"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// Kind is the kind of a use.
type Kind string

// Kinds, as the fields of spec.usedBy.
const (
	HTTPSys       Kind = "httpSys"
	RemoteDesktop Kind = "remoteDesktop"
	WinRM         Kind = "winRM"
	SQLServer     Kind = "sqlServer"
	Service       Kind = "service"
)

// Use is an entry of spec.usedBy.
type Use struct {
	// Kind is its kind.
	Kind Kind
	// Target names what is used among others of its kind: the address or host name with the port of a binding, an instance, a
	// service. Empty for Remote Desktop and WinRM, which a machine has once.
	Target string
	// ByHost is true for a binding by host name (hostnamePort).
	ByHost bool
	// Adopt is true if a binding that does not exist is to be created, for the application AppID.
	Adopt bool
	// AppID is a GUID in braces.
	AppID string
	// Owner is the name of the ObservedCertificate. A service may have to be restarted for several.
	Owner string
}

// DefaultAppID is the application of bindings that Vaultpane creates, where the spec names none.
const DefaultAppID = "{c1f5d1a5-3d0b-4a52-9a8e-7b6a9f0e2d41}"

// Of returns the uses of an ObservedCertificate, in the order of the spec.
func Of(certificate *v1alpha1.ObservedCertificate) []Use {
	var uses []Use
	for _, entry := range certificate.Spec.UsedBy {
		use := Use{Owner: certificate.Name}
		switch {
		case entry.HTTPSys != nil:
			use.Kind, use.Target, use.Adopt, use.AppID = HTTPSys, entry.HTTPSys.IPPort, entry.HTTPSys.Adopt, entry.HTTPSys.AppID
			if entry.HTTPSys.HostnamePort != "" {
				use.Target, use.ByHost = entry.HTTPSys.HostnamePort, true
			}
			if use.AppID == "" {
				use.AppID = DefaultAppID
			}
		case entry.RemoteDesktop != nil:
			use.Kind = RemoteDesktop
		case entry.WinRM != nil:
			use.Kind = WinRM
		case entry.SQLServer != nil:
			use.Kind, use.Target = SQLServer, entry.SQLServer.Instance
		case entry.Service != nil:
			use.Kind, use.Target = Service, entry.Service.Name
		}
		uses = append(uses, use)
	}
	return uses
}

// String returns the name that reports have, such as "httpSys 0.0.0.0:443".
func (u Use) String() string {
	if u.Target == "" {
		return string(u.Kind)
	}
	return string(u.Kind) + " " + u.Target
}

// Seen is how a machine has configured a use.
type Seen struct {
	// Exists is true if the machine has the binding, listener, instance or service.
	Exists bool
	// Thumbprint is the certificate that it is configured with, in upper-case hexadecimal digits; empty for none. Of a service it is
	// the certificate for which Vaultpane last restarted it for this owner, or that was in place while it did not run.
	Thumbprint string
	// Store is the name of the store of LocalMachine where it looks for the certificate; empty where that is always MY, or for a
	// service.
	Store string
	// Account is the account that must read the private key, and SID its security identifier; empty where Windows reads the key for
	// the program. SYSTEM and Administrators may always read it.
	Account, SID string
	// ServiceSID is the identifier of the service itself (NT SERVICE\name), which its process has beside that of its account; empty
	// where it has none.
	ServiceSID string
	// RestartNeeded is true if the program uses what it read when it started, and runs since before the configuration changed.
	RestartNeeded bool
	// Stopped is true for a service that does not run. It reads the certificate when it starts, so it is not restarted.
	Stopped bool
	// Interrupted is true for a service that Vaultpane stopped and has not started again: an agent was killed in between.
	Interrupted bool
	// RestartedAt is when Vaultpane last restarted a service, for any owner; zero for never.
	RestartedAt time.Time
}

// Programs is the interface to the programs of a machine. Implementations are safe for concurrent use, and every method may be
// interrupted at any point, also by the end of the process, and called again. Errors name the Win32 error and where it occurred.
type Programs interface {
	// Read returns how the machine has configured a use. One that does not exist is not an error.
	Read(use Use) (Seen, error)
	// Switch configures a use with a certificate of a store of LocalMachine, which is there with its key, and keeps all other settings
	// of the use; a service that runs it restarts. A change by another program since Read to a certificate other than seen.Thumbprint is an
	// error.
	Switch(ctx context.Context, use Use, seen Seen, ref certstore.Ref, thumbprint string) error
	// Resume starts the services that an agent stopped for a restart and was killed before it started them again, whatever the
	// ObservedCertificates say by now.
	Resume(ctx context.Context) error
}
