package failure

import (
	"fmt"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Unsupported names what a spec asks for and this agent cannot do.
type Unsupported struct{ What string }

// Error implements error.
func (e *Unsupported) Error() string {
	return fmt.Sprintf("this agent cannot do what the spec asks for: %s; nothing was installed or changed for it", e.What)
}

// NotYetValid says that a secret or a certificate can be used from a time in the future on.
type NotYetValid struct {
	// From is that time.
	From time.Time
	// Reason distinguishes a secret from a certificate.
	Reason v1alpha1.Reason
	// What says what is not yet valid, and where.
	What string
}

// Error implements error.
func (e *NotYetValid) Error() string {
	return e.What + "; it is read again then. If that time has come already, the node's clock is behind: correct it"
}

// Expired says that the newest version has expired, and what to do.
type Expired struct{ Message string }

// Error implements error.
func (e *Expired) Error() string { return e.Message }

// ConfigMap says why a ConfigMap cannot be read.
type ConfigMap struct {
	// Reason is ConfigMapNotAllowed or ConfigMapNotFound.
	Reason v1alpha1.Reason
	// Message says which ConfigMap, and what to do.
	Message string
}

// Error implements error.
func (e *ConfigMap) Error() string { return e.Message }

// Later says that an origin could not be asked now. It is no failure of the certificate.
type Later struct {
	// After is how long to wait.
	After time.Duration
	// Err is the cause.
	Err error
}

// Error implements error.
func (e *Later) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *Later) Unwrap() error { return e.Err }
