package usedby

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore"
)

// restartInterval is the least time between two restarts of a service.
const restartInterval = time.Minute

// Want is what a use should have.
type Want struct {
	// Ref is the store of the certificate.
	Ref certstore.Ref
	// Thumbprint is the current version, which is in the store with its key; empty while it is not, or is not valid.
	Thumbprint string
	// Versions are the thumbprints of all versions of the ObservedCertificate that are in the store.
	Versions []string
	// Access is the access list of the current version's key, in the form of certstore.KeyAccess.
	Access string
}

// Decision is what follows for a use.
type Decision struct {
	// Switch is true if the use must be switched to the current version.
	Switch bool
	// State, Reason and Message are reported if it is not switched.
	State   v1alpha1.UseStateName
	Reason  v1alpha1.Reason
	Message string
	// Again is when to decide again; zero for at the next check.
	Again time.Time
}

// Decide compares how a use is configured with what it should have. It is a pure function. A use that has a certificate which is no
// version of the ObservedCertificate is left alone: it is somebody else's.
func Decide(use Use, seen Seen, want Want, now time.Time) Decision {
	switch {
	case use.Kind == Service && seen.Interrupted:
		return Decision{Switch: true} // it must run again, whatever the certificate
	case want.Thumbprint == "":
		return Decision{State: v1alpha1.UsePending, Reason: v1alpha1.ReasonPending, Message: "the current version is not in the store yet, or not valid"}
	case !seen.Exists && use.Kind == HTTPSys && use.Adopt:
		return Decision{Switch: true}
	case !seen.Exists:
		return failed(v1alpha1.ReasonUseNotFound, notFound(use))
	case use.Kind == Service:
		return decideService(use, seen, want, now)
	case seen.Thumbprint == want.Thumbprint && inStore(seen, want.Ref):
		return bound(use, seen)
	case seen.Thumbprint != "" && !slices.Contains(want.Versions, seen.Thumbprint):
		return failed(v1alpha1.ReasonUsesAnother, fmt.Sprintf("it has the certificate %s, which is no version of this ObservedCertificate, and is left alone; %s", seen.Thumbprint, byHand(use, want)))
	case !readable(seen, want.Access):
		return failed(v1alpha1.ReasonKeyAccessMissing, fmt.Sprintf("the account %s, which runs it, may not read the private key, so it keeps what it has; add \"%s\" to spec.accounts", seen.Account, seen.Account)) // not %q, which doubles the name's backslash
	}
	return Decision{Switch: true}
}

func failed(reason v1alpha1.Reason, message string) Decision {
	return Decision{State: v1alpha1.UseFailed, Reason: reason, Message: message}
}

func bound(use Use, seen Seen) Decision {
	if !seen.RestartNeeded {
		return Decision{State: v1alpha1.UseBound}
	}
	return Decision{
		State: v1alpha1.UseBound, Reason: v1alpha1.ReasonRestartNeeded,
		Message: use.String() + " uses the current version from its next start on",
	}
}

func inStore(seen Seen, ref certstore.Ref) bool {
	return seen.Store == "" || strings.EqualFold(seen.Store, ref.Name)
}

// decideService decides whether a service is restarted: once for each version, and at most once in restartInterval. Of one that does
// not run, it is only noted that it has the version, since it reads the certificate when it starts: else it would be restarted then.
func decideService(use Use, seen Seen, want Want, now time.Time) Decision {
	next := seen.RestartedAt.Add(restartInterval)
	switch {
	case seen.Thumbprint == want.Thumbprint:
		return Decision{State: v1alpha1.UseBound}
	case !seen.Stopped && !seen.RestartedAt.IsZero() && now.Before(next) && !seen.RestartedAt.After(now):
		return Decision{
			State: v1alpha1.UsePending, Reason: v1alpha1.ReasonRestartNeeded,
			Message: fmt.Sprintf("the service %s was restarted less than a minute ago, and is restarted again after %s", use.Target, restartInterval), Again: next,
		}
	}
	return Decision{Switch: true}
}

// readable reports whether the process of a use may read the key: by an entry of its account, of its service, or of a group which
// contains every service. Whether its account is in another group is not looked up.
func readable(seen Seen, access string) bool {
	return seen.SID == "" || slices.ContainsFunc(append([]string{seen.SID, seen.ServiceSID}, everyService...), func(sid string) bool {
		return sid != "" && certstore.Grants(access, sid)
	})
}

// everyService are groups that contain the accounts of all services
// (https://learn.microsoft.com/windows/win32/secauthz/well-known-sids): Everyone, Authenticated Users, SERVICE, Users and ALL SERVICES.
var everyService = []string{"S-1-1-0", "S-1-5-11", "S-1-5-6", "S-1-5-32-545", "S-1-5-80-0"}

// notFound says what is missing and what to do.
func notFound(use Use) string {
	switch use.Kind {
	case HTTPSys:
		return fmt.Sprintf("http.sys has no binding %s on this node; create it, or set adopt: true", use.Target)
	case RemoteDesktop:
		return "this node has no listener RDP-Tcp of Remote Desktop; install it, or remove the entry"
	case WinRM:
		return "this node has no HTTPS listener of WinRM; create it, or remove the entry"
	case SQLServer:
		return fmt.Sprintf("this node has no instance %s of SQL Server; correct the name, or remove the entry", use.Target)
	case Service:
	}
	return fmt.Sprintf("this node has no service %s; correct the name (sc query shows it), or remove the entry", use.Target)
}

// byHand says how a use is switched to the current version by hand.
func byHand(use Use, want Want) string {
	if use.Kind == HTTPSys {
		kind := "ipport"
		if use.ByHost {
			kind = "hostnameport"
		}
		return fmt.Sprintf("to switch it once by hand: netsh http update sslcert %s=%s certhash=%s certstorename=%s appid={its application}", kind, use.Target, want.Thumbprint, want.Ref.Name)
	}
	return "switch it once by hand, as docs/bindings.md shows"
}
