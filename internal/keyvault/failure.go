package keyvault

import (
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault/auth"
	"github.com/vaultpane/vaultpane/internal/keyvault/breaker"
)

// Failure is why a secret was not read. Find it with errors.As; wrapping does not change the reason.
type Failure struct {
	// Reason is the row of the reasons table; its class decides what follows.
	Reason v1alpha1.Reason
	// Message states what is wrong, where, and what to do. It holds no token and no part of a secret. It is the same as long as
	// its meaning is, so that repeated attempts do not change the status.
	Message string
	// Detail is what differs from attempt to attempt, such as the difference of two clocks; empty for nothing. For logs and
	// events, never for a status.
	Detail string
	// RequestID is the ID by which Azure's support finds the request, empty if the response had none. For logs and events, never
	// for a status.
	RequestID string
	// RetryAfter is the least time before the next attempt that the server asked for, 0 for none.
	RetryAfter time.Duration
}

// Error returns the message. The errors below a Failure are not wrapped: their text can hold a whole response.
func (f *Failure) Error() string { return f.Message }

// Deferred is returned for a request that was not sent, because of the limits for its vault. It is no failure: the reconciler
// comes back after the time.
type Deferred = breaker.Deferred

// request is what is asked of a vault, and as whom.
type request struct {
	secret   SecretURL
	clientID string // empty for the process's own identity
	list     bool   // for the versions of the secret, without their values
}

// about is the beginning of every message about a request: the action, where, and as which identity.
func about(of request) string {
	action := "reading secret"
	if of.list {
		action = "listing the versions of secret"
	}
	return fmt.Sprintf("%s %q from %s as %s: ", action, of.secret.Name, of.secret.Authority(), of.caller())
}

// caller names the identity that asks.
func (r request) caller() string {
	if r.list && r.clientID == "" {
		return "the controller's identity"
	}
	return auth.DisplayName(r.clientID)
}
