// Package failure turns the errors of the engine's parts into reasons of the API.
package failure

import (
	"errors"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/engine/accounts"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// Failure is an error in the terms of the API.
type Failure struct {
	// Reason is its name in the table of reasons.
	Reason v1alpha1.Reason
	// Message says what is wrong, where, and what to do. It is the same at each attempt.
	Message string
	// Detail and RequestID differ from attempt to attempt: they are for logs and events. RequestID is what the other side finds the
	// request by.
	Detail, RequestID string

	// RetryAfter is how long the other side asked to wait, 0 where it did not.
	RetryAfter time.Duration
	// Until is when the failure is known to end; zero if that is unknown.
	Until time.Time
}

// Of returns the failure of an error. It is the one place where the packages' errors become reasons; an error that it does
// not know is a defect of Vaultpane.
func Of(err error) Failure {
	var vault *keyvault.Failure
	var content *bundle.Error
	var store *certstore.Error
	var conflict *certstore.Conflict
	var early *NotYetValid
	var late *Expired
	var unsupported *Unsupported
	var configMap *ConfigMap
	var unknown *accounts.Unknown
	var unavailable *accounts.Unavailable
	switch {
	case errors.As(err, &vault):
		return Failure{Reason: vault.Reason, Message: vault.Message, RetryAfter: vault.RetryAfter, Detail: vault.Detail, RequestID: vault.RequestID}
	case errors.As(err, &content):
		return Failure{Reason: v1alpha1.Reason(content.Reason), Message: err.Error()}
	case errors.As(err, &store):
		return Failure{Reason: storeReason(store), Message: err.Error()}
	case errors.As(err, &conflict):
		return Failure{Reason: v1alpha1.ReasonConflict, Message: conflict.Message}
	case errors.As(err, &early):
		return Failure{Reason: early.Reason, Message: early.Error(), Until: early.From}
	case errors.As(err, &late):
		return Failure{Reason: v1alpha1.ReasonExpired, Message: late.Message}
	case errors.As(err, &unknown):
		return Failure{Reason: v1alpha1.ReasonAccountNotFound, Message: unknown.Error()}
	case errors.As(err, &unavailable):
		return Failure{Reason: v1alpha1.ReasonAccountNotFound, Message: unavailable.Error()}
	case errors.As(err, &configMap):
		return Failure{Reason: configMap.Reason, Message: configMap.Message}
	case errors.As(err, &unsupported):
		return Failure{Reason: v1alpha1.ReasonUnsupported, Message: unsupported.Error()}
	}
	return Failure{Reason: v1alpha1.ReasonInternalError, Message: err.Error()}
}

func storeReason(err *certstore.Error) v1alpha1.Reason {
	switch {
	case err.Unsupported:
		return v1alpha1.ReasonUnsupported
	case err.Denied:
		return v1alpha1.ReasonStoreAccessDenied
	}
	return v1alpha1.ReasonStoreFailure
}
