package windows

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sys/windows"

	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/httpsys"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/remotedesktop"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/services"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/sqlserver"
	"github.com/vaultpane/vaultpane/internal/certstore/windows/winrm"
)

var _ usedby.Programs = Machine{}

// Read implements usedby.Programs. It writes nothing but that a restart which was interrupted has ended, see services.Read.
func (Machine) Read(use usedby.Use) (usedby.Seen, error) {
	seen, err := read(use)
	if err != nil {
		return usedby.Seen{}, failure("reading "+use.String(), certstore.Ref{}, err)
	}
	return seen, nil
}

// Switch implements usedby.Programs.
func (Machine) Switch(ctx context.Context, use usedby.Use, seen usedby.Seen, ref certstore.Ref, thumbprint string) error {
	operation := "switching " + use.String()
	if use.Kind == usedby.Service {
		operation = "restarting " + use.String()
	}
	return failure(operation, certstore.Ref{}, change(ctx, use, seen, ref, thumbprint))
}

// Resume implements usedby.Programs.
func (Machine) Resume(ctx context.Context) error {
	return failure("starting services that were stopped for their restart", certstore.Ref{}, services.Resume(ctx))
}

func read(use usedby.Use) (usedby.Seen, error) {
	switch use.Kind {
	case usedby.HTTPSys:
		found, exists, err := httpsys.Read(bindingKey(use))
		return usedby.Seen{Exists: exists, Thumbprint: found.Thumbprint, Store: found.Store}, err // http.sys reads the key as SYSTEM
	case usedby.RemoteDesktop:
		return readRemoteDesktop()
	case usedby.WinRM:
		found, exists, err := winrm.Certificate()
		return usedby.Seen{Exists: exists, Thumbprint: found}, err // it has a binding of http.sys
	case usedby.SQLServer:
		return readSQLServer(use.Target)
	case usedby.Service:
		state, err := services.Read(use.Target, use.Owner)
		return usedby.Seen{
			Exists: state.Exists, Thumbprint: state.Thumbprint, Stopped: state.Stopped, Interrupted: state.Interrupted, RestartedAt: state.RestartedAt,
		}, err
	}
	return usedby.Seen{}, unknownKind(use)
}

func change(ctx context.Context, use usedby.Use, seen usedby.Seen, ref certstore.Ref, thumbprint string) error {
	if ref.Location != certstore.LocalMachine {
		return fmt.Errorf("programs of the machine cannot use a certificate of %s", ref)
	}
	switch use.Kind {
	case usedby.HTTPSys:
		if !seen.Exists && use.Adopt {
			return httpsys.Create(bindingKey(use), use.AppID, ref.Name, thumbprint)
		}
		return httpsys.Switch(bindingKey(use), seen.Thumbprint, ref.Name, thumbprint)
	case usedby.Service:
		return services.Restart{Service: use.Target, Owner: use.Owner, Thumbprint: thumbprint, Seen: seen.RestartedAt}.Run(ctx)
	case usedby.RemoteDesktop, usedby.WinRM, usedby.SQLServer:
		if !strings.EqualFold(ref.Name, "MY") {
			return fmt.Errorf("it uses certificates of MY only, and this one is in %s", ref.Name)
		}
	}
	switch use.Kind {
	case usedby.RemoteDesktop:
		return remotedesktop.Set(seen.Thumbprint, thumbprint)
	case usedby.WinRM:
		return winrm.Set(ctx, seen.Thumbprint, thumbprint)
	case usedby.SQLServer:
		return sqlserver.Set(use.Target, seen.Thumbprint, thumbprint)
	default:
		return unknownKind(use)
	}
}

func unknownKind(use usedby.Use) error { return fmt.Errorf("this machine knows no kind %q", use.Kind) }

func bindingKey(use usedby.Use) httpsys.Key { return httpsys.Key{Name: use.Target, ByHost: use.ByHost} }

func readRemoteDesktop() (usedby.Seen, error) {
	found, exists, err := remotedesktop.Certificate()
	if err != nil || !exists {
		return usedby.Seen{}, err
	}
	seen := usedby.Seen{Exists: true, Thumbprint: found}
	seen.Account, seen.SID, err = serviceAccount(remotedesktop.Service)
	return seen, err
}

// readSQLServer reports that a restart is needed if the instance's process started before its network settings were last written. It
// reads them when it starts. Where that cannot be determined, no restart is reported: it would be a finding that nobody can act on.
func readSQLServer(instance string) (usedby.Seen, error) {
	found, exists, err := sqlserver.Read(instance)
	if err != nil || !exists {
		return usedby.Seen{}, err
	}
	service := usedby.ServiceOf(found.Name)
	started := services.StartedAt(service)
	seen := usedby.Seen{Exists: true, Thumbprint: found.Thumbprint, RestartNeeded: !started.IsZero() && started.Before(found.Written)}
	// https://learn.microsoft.com/sql/database-engine/configure-windows/configure-windows-service-accounts-and-permissions#Service_SIDs
	seen.ServiceSID, _ = resolveAccount(`NT SERVICE\` + service) // it has none where that cannot be resolved
	seen.Account, seen.SID, err = serviceAccount(service)
	return seen, err
}

// serviceAccount returns the account that a service runs as, and its security identifier; both are empty for a service that the
// machine does not have.
func serviceAccount(service string) (account, sid string, err error) {
	account, sid, exists, err := services.Account(service)
	switch {
	case err != nil || !exists:
		return "", "", err
	case sid != "":
		return localName(account, sid), sid, nil
	}
	if sid, err = resolveAccount(account); err != nil {
		return "", "", fmt.Errorf("the account of the service %s: %w", service, err)
	}
	return account, sid, nil
}

// localName returns the name of a built-in account in the system's language, in which spec.accounts names it too
// (https://learn.microsoft.com/windows/win32/api/winbase/nf-winbase-lookupaccountsidw).
func localName(account, sid string) string {
	parsed, err := windows.StringToSid(sid)
	if err != nil {
		return account
	}
	name, authority, _, err := parsed.LookupAccount("")
	if err != nil {
		return account
	}
	return authority + `\` + name
}
