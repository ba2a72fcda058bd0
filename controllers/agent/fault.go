package agent

import (
	"errors"
	"time"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/bundle"
	"github.com/vaultpane/vaultpane/internal/certstore"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// problem is an error in the words of the API.
type problem struct {
	reason     v1alpha1.Reason
	message    string
	retryAfter time.Duration // what the other side asked for
	until      time.Time     // when it is known to end; zero if it is not
	detail     string        // what differs from attempt to attempt, for the log and the event
	requestID  string        // by which the other side finds the request, likewise
}

// explain finds the reason of an error. It is the one place where the packages' errors become reasons; what it does not
// know is a defect of ours.
func explain(err error) problem {
	var fault *keyvault.Failure
	var content *bundle.Error
	var store *certstore.Error
	var conflict *certstore.Conflict
	var early *notYetValid
	var late *expired
	var wish *unsupportedError
	var unknown *accountsError
	var away *accountsAway
	switch {
	case errors.As(err, &fault):
		return problem{reason: fault.Reason, message: fault.Message, retryAfter: fault.RetryAfter, detail: fault.Detail, requestID: fault.RequestID}
	case errors.As(err, &content):
		return problem{reason: v1alpha1.Reason(content.Reason), message: err.Error()}
	case errors.As(err, &store):
		return problem{reason: storeReason(store), message: err.Error()}
	case errors.As(err, &conflict):
		return problem{reason: v1alpha1.ReasonConflict, message: conflict.Message}
	case errors.As(err, &early):
		return problem{reason: early.reason, message: early.Error(), until: early.from}
	case errors.As(err, &late):
		return problem{reason: v1alpha1.ReasonExpired, message: late.message}
	case errors.As(err, &unknown):
		return problem{reason: v1alpha1.ReasonAccountNotFound, message: unknown.Error()}
	case errors.As(err, &away):
		return problem{reason: v1alpha1.ReasonAccountNotFound, message: away.Error()}
	case errors.As(err, &wish):
		return problem{reason: v1alpha1.ReasonUnsupported, message: wish.Error()}
	}
	return problem{reason: v1alpha1.ReasonInternalError, message: err.Error()}
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
