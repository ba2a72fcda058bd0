package agent

import (
	"context"
	"fmt"

	"github.com/go-logr/logr"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// tell writes one log line and at most one event when something changed, and none when nothing did. What fails is an error at
// its first time, and a line at level 1 when it repeats.
func (r *Reconciler) tell(ctx context.Context, certificate *v1alpha1.ObservedCertificate, out outcome, updated record) {
	log := ctrl.LoggerFrom(ctx).WithValues("store", out.ref.String())
	before, after := out.remembered.entry, updated.entry
	if updated.kept != "" && updated.kept != out.remembered.kept {
		log.Info("Keeping superseded certificates that the machine still serves with", "kept", updated.kept)
	}
	if after.Reason == v1alpha1.ReasonLinkDeclined && (before.Reason != after.Reason || before.Message != after.Message) {
		log.Error(nil, "linkOnRenewal does not link an older version", "thumbprint", after.Thumbprint, "message", after.Message)
		r.warn(ctx, certificate, problem{reason: after.Reason, message: after.Message})
	}
	switch {
	case out.err != nil:
		r.tellFailure(ctx, certificate, log, before, updated, explain(out.err))
	case out.problem != nil && after.Reason == v1alpha1.ReasonAccountNotFound && before.Reason != after.Reason:
		log.Error(nil, "An account of the certificate is not known", "thumbprint", after.Thumbprint, "message", after.Message)
		r.warn(ctx, certificate, explain(out.problem))
	case updated.repairs > promptRepairs && out.repaired:
		log.Error(nil, "Repaired the certificate again: something else on the node keeps changing it", "repairs", updated.repairs, "thumbprint", after.Thumbprint)
		r.warn(ctx, certificate, problem{reason: v1alpha1.ReasonRepeatedDrift, message: fmt.Sprintf("repaired %d times in a row: something else on the node keeps removing or changing the certificate, its key, its rights or its links; repairs slow down", updated.repairs)})
	case out.done.changed && after.Thumbprint == before.Thumbprint && !out.polled:
		log.Info("Repaired the certificate's properties", "thumbprint", after.Thumbprint, "repaired", out.repaired)
	case out.done.changed:
		log.Info("Installed the certificate", "thumbprint", after.Thumbprint, "version", after.Version,
			"previousThumbprint", before.Thumbprint, "repaired", out.repaired, "notAfter", after.NotAfter)
	case before.Reason != "" && after.Reason == "":
		log.Info("The certificate is as wanted again", "thumbprint", after.Thumbprint, "version", after.Version)
	case out.polled:
		log.V(1).Info("Nothing new in the vault", "version", after.Version)
	}
}

// tellFailure tells of a poll that failed, or of a certificate that could not be brought into the store.
func (r *Reconciler) tellFailure(ctx context.Context, certificate *v1alpha1.ObservedCertificate, log logr.Logger, before v1alpha1.CertificateEntry, updated record, found problem) {
	values := []any{"reason", found.reason, "class", found.reason.Class(), "message", found.message, "attempt", updated.attempt}
	if found.detail != "" {
		values = append(values, "detail", found.detail)
	}
	if found.requestID != "" {
		values = append(values, "requestID", found.requestID)
	}
	if !updated.nextAttempt.IsZero() {
		values = append(values, "nextAttempt", updated.nextAttempt)
	}
	after := updated.entry
	message := "Cannot bring the certificate to this node yet"
	if after.State == v1alpha1.StateInstalled && after.Thumbprint != "" {
		message = "Cannot poll the certificate; the installed version stays"
	}
	if after.Reason != found.reason || before.Reason == found.reason {
		log.V(1).Info(message, values...) // it may have gone before anyone could look, is known, or something worse is reported
		return
	}
	log.Error(nil, message, values...)
	r.warn(ctx, certificate, found)
}
