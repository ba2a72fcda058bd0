package versionwatch

import (
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
	"github.com/vaultpane/vaultpane/internal/keyvault"
)

// Reasons of the condition VersionWatched that are not in the table of reasons.
const (
	reasonWatched    = "Watched"    // True
	reasonRolledBack = "RolledBack" // True, and a newer version must not be used any more
	reasonPinned     = "Pinned"     // False: the URL names a version
	reasonConfigMap  = "ConfigMap"  // False: there is no URL
)

// why says why a certificate is not watched.
type why struct{ reason, message string }

// watched returns the secret whose versions a certificate follows, or why it follows none.
func watched(certificate *v1alpha1.ObservedCertificate) (keyvault.SecretURL, *why) {
	if certificate.Spec.ConfigMap != nil {
		return keyvault.SecretURL{}, &why{reasonConfigMap, "the certificates are in a ConfigMap, which the nodes watch themselves"}
	}
	secret, err := keyvault.ParseURL(certificate.Spec.URL)
	switch {
	case err != nil:
		return secret, &why{string(v1alpha1.ReasonInvalidURL), err.Error()}
	case secret.Version != "":
		return secret, &why{reasonPinned, "spec.url names the version " + secret.Version + ", so no other one is installed"}
	case certificate.Spec.Suspend:
		return secret, &why{string(v1alpha1.ReasonSuspended), "suspended: nothing is polled or watched"}
	}
	return secret, nil
}

// Of returns what status.latestVersion and the condition VersionWatched of a certificate should be. known is false until its secret
// was listed: then both stay as they are.
func (w *Watch) Of(certificate *v1alpha1.ObservedCertificate) (latest *v1alpha1.LatestVersion, condition metav1.Condition, known bool) {
	condition = metav1.Condition{Type: v1alpha1.ConditionVersionWatched, Status: metav1.ConditionFalse}
	secret, unwatched := watched(certificate)
	if unwatched != nil {
		condition.Reason, condition.Message = unwatched.reason, unwatched.message
		return nil, condition, true
	}
	r, ok := w.record(secret.String())
	if !ok || !r.known() {
		return nil, condition, false
	}
	if r.failing() {
		condition.Reason = string(r.failure.Reason.Info().Reason)
		condition.Message = "the nodes poll at their own interval, because the version watch fails: " + r.failure.Message
		return r.lastKnown(certificate), condition, true
	}
	condition.Status, condition.Reason = metav1.ConditionTrue, reasonWatched
	condition.Message = "the nodes fetch a new version when it is published in status.latestVersion, and do not poll"
	if r.choice.rollbackFrom != "" {
		condition.Reason = reasonRolledBack
		condition.Message = fmt.Sprintf("the newer version %s is disabled in the vault or has expired, so the nodes use version %s", r.choice.rollbackFrom, r.choice.version)
	}
	return r.latest(certificate.Status.LatestVersion), condition, true
}

// lastKnown returns what was published before the lists began to fail. Agents take that version where the newest must not be used.
func (r record) lastKnown(certificate *v1alpha1.ObservedCertificate) *v1alpha1.LatestVersion {
	before := meta.FindStatusCondition(certificate.Status.Conditions, v1alpha1.ConditionVersionWatched)
	switch {
	case r.choice.version != "":
		return r.latest(certificate.Status.LatestVersion)
	case before != nil && before.ObservedGeneration == certificate.Generation:
		return certificate.Status.LatestVersion
	}
	return nil // the status may be about another URL
}

// latest returns the publication of a record. What the status already says of the same version stays, also for another leader.
func (r record) latest(before *v1alpha1.LatestVersion) *v1alpha1.LatestVersion {
	if before != nil && before.Version == r.choice.version && before.RollbackFrom == r.choice.rollbackFrom {
		return before
	}
	latest := &v1alpha1.LatestVersion{
		Version: r.choice.version, RollbackFrom: r.choice.rollbackFrom, ObservedTime: metav1.NewTime(r.listed),
		FetchDelayInS: seconds(r.window.delay), FetchSpreadInS: seconds(r.window.spread),
	}
	if !r.choice.created.IsZero() {
		created := metav1.NewTime(r.choice.created)
		latest.CreatedTime = &created
	}
	return latest
}

// seconds rounds up.
func seconds(d time.Duration) int32 {
	return int32(min(math.MaxInt32, (d+time.Second-1)/time.Second)) //nolint:gosec // bounded
}
