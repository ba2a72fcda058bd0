package engine

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/certstore/usedby"
	"github.com/vaultpane/vaultpane/internal/engine/failure"
)

// logOutcome writes one log line when something changed, and none when nothing did, and returns the warnings to publish as
// events. A failure is an error at its first time, and a line at level 1 when it repeats.
func logOutcome(ctx context.Context, out outcome, updated record) (warnings []failure.Failure) {
	log := logr.FromContextOrDiscard(ctx).WithValues("store", out.ref.String())
	before, after := out.before.entry, updated.entry
	if updated.kept != "" && updated.kept != out.before.kept {
		log.Info("Keeping superseded certificates that the machine still serves", "kept", updated.kept)
	}
	for _, use := range usedby.NewlyFailed(before.Uses, after.Uses) {
		log.Error(nil, "A program does not use the certificate", "use", use.Name, "thumbprint", after.Thumbprint, "reason", use.Reason, "message", use.Message)
		warnings = append(warnings, failure.Failure{Reason: use.Reason, Message: use.Name + ": " + use.Message})
	}
	if after.Reason == v1alpha1.ReasonLinkDeclined && (before.Reason != after.Reason || before.Message != after.Message) {
		log.Error(nil, "linkOnRenewal does not link an older version", "thumbprint", after.Thumbprint, "message", after.Message)
		warnings = append(warnings, failure.Failure{Reason: after.Reason, Message: after.Message})
	}
	switch {
	case out.err != nil:
		if found := failure.Of(out.err); logFailure(log, before, updated, found) {
			warnings = append(warnings, found)
		}
	case out.accountsErr != nil && after.Reason == v1alpha1.ReasonAccountNotFound && before.Reason != after.Reason:
		log.Error(nil, "Cannot find an account of the certificate", "thumbprint", after.Thumbprint, "message", after.Message)
		warnings = append(warnings, failure.Of(out.accountsErr))
	case updated.repair.count > promptRepairs && out.repaired():
		log.Error(nil, "Repaired the certificate again: something else on the node keeps changing it", "repairs", updated.repair.count, "thumbprint", after.Thumbprint)
		warnings = append(warnings, failure.Failure{Reason: v1alpha1.ReasonRepeatedDrift, Message: fmt.Sprintf("repaired %d times in a row: something else on the node keeps removing or changing the certificate, its key, its rights or its links; repairs slow down", updated.repair.count)})
	case out.changed() && after.Thumbprint == before.Thumbprint && !out.poll.made:
		log.Info("Repaired the certificate's properties", "thumbprint", after.Thumbprint, "repaired", out.repaired())
	case out.published.RollbackFrom != "" && out.poll.made && before.Version != after.Version:
		log.Info("Rolled back the certificate", "thumbprint", after.Thumbprint, "version", after.Version,
			"previousThumbprint", before.Thumbprint, "previousVersion", before.Version, "notAfter", after.NotAfter)
	case out.changed():
		log.Info("Installed the certificate", "thumbprint", after.Thumbprint, "version", after.Version,
			"previousThumbprint", before.Thumbprint, "repaired", out.repaired(), "notAfter", after.NotAfter)
	case before.Reason != "" && before.Reason != v1alpha1.ReasonPending && after.Reason == "":
		log.Info("The certificate has recovered", "thumbprint", after.Thumbprint, "version", after.Version)
	case out.poll.made:
		log.V(1).Info("The certificate is up to date", "version", after.Version)
	}
	return warnings
}

// logFailure logs a failed poll, or a certificate that could not be brought into the store, and reports whether it is new.
func logFailure(log logr.Logger, before v1alpha1.CertificateEntry, updated record, found failure.Failure) bool {
	values := []any{"reason", found.Reason, "class", found.Reason.Class(), "message", found.Message, "attempt", updated.poll.attempt}
	if found.Detail != "" {
		values = append(values, "detail", found.Detail)
	}
	if found.RequestID != "" {
		values = append(values, "requestID", found.RequestID)
	}
	if !updated.poll.nextAttempt.IsZero() {
		values = append(values, "nextAttempt", updated.poll.nextAttempt)
	}
	after := updated.entry
	message := "Cannot install the certificate on this node yet"
	if after.State == v1alpha1.StateInstalled && after.Thumbprint != "" {
		message = "Cannot poll the certificate; the installed version stays"
	}
	if after.Reason != found.Reason || before.Reason == found.Reason {
		log.V(1).Info(message, values...) // it is transient, known, or a worse reason is reported
		return false
	}
	log.Error(nil, message, values...)
	return true
}
