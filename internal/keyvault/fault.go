package keyvault

import (
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Fault is a failure with its reason. Find it with errors.As; wrapping does not change the reason.
type Fault struct {
	// Reason is the row of the reasons table; its class decides what follows.
	Reason v1alpha1.Reason
	// Message says what is wrong, where, and what to do. It holds no token and no part of a secret. It is the same as long as
	// its meaning is, so that repeated attempts change no status.
	Message string
	// Detail is what differs from attempt to attempt, such as how far two clocks are apart; empty for nothing. For logs and
	// events, never for a status.
	Detail string
	// RequestID is the id by which Azure's support finds the request, empty where the answer had none. For logs and events,
	// never for a status.
	RequestID string
	// RetryAfter is the least time before the next attempt that the other side asked for, 0 for none.
	RetryAfter time.Duration
}

// Error returns the message. The errors below a Fault are not wrapped: their text can hold a whole response.
func (f *Fault) Error() string { return f.Message }

// about begins every message about a secret: what was being done, where, and as whom.
func about(secret SecretURL, clientID string) string {
	return fmt.Sprintf("reading secret %q from %s as %s: ", secret.Name, secret.Authority(), identityName(clientID))
}
