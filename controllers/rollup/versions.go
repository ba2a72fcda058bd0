package rollup

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

// Versions tells which version of a certificate's secret the nodes should have; *versionwatch.Watch does.
type Versions interface {
	// Of returns what status.latestVersion and the condition VersionWatched should be. While known is false, both stay as they are.
	Of(certificate *v1alpha1.ObservedCertificate) (latest *v1alpha1.LatestVersion, condition metav1.Condition, known bool)
}

// noVersions is a version watch that is off.
type noVersions struct{}

// Of implements Versions.
func (noVersions) Of(certificate *v1alpha1.ObservedCertificate) (*v1alpha1.LatestVersion, metav1.Condition, bool) {
	if certificate.Spec.ConfigMap != nil {
		return nil, metav1.Condition{
			Type: v1alpha1.ConditionVersionWatched, Status: metav1.ConditionFalse, Reason: reasonConfigMap,
			Message: "the certificates are in a ConfigMap, which the nodes watch themselves",
		}, true
	}
	return nil, metav1.Condition{
		Type: v1alpha1.ConditionVersionWatched, Status: metav1.ConditionFalse, Reason: reasonNotEnabled,
		Message: "the nodes poll at their own interval; the controller's version watch is off (docs/version-watch.md)",
	}, true
}

// reasonConfigMap is the reason of the condition VersionWatched where there is no secret to watch, as package versionwatch has it.
const reasonConfigMap = "ConfigMap"

// withVersions returns a copy of a certificate whose status has what the version watch says. The rest of the status is computed
// from it.
func withVersions(certificate *v1alpha1.ObservedCertificate, versions Versions, now time.Time) *v1alpha1.ObservedCertificate {
	latest, condition, known := versions.Of(certificate)
	updated := certificate.DeepCopy()
	if !known {
		return updated
	}
	updated.Status.LatestVersion = latest
	condition.ObservedGeneration, condition.LastTransitionTime = certificate.Generation, metav1.NewTime(now)
	meta.SetStatusCondition(&updated.Status.Conditions, condition)
	return updated
}

// latestOf returns the version that nodes should have, empty while that is not known for this spec.
func latestOf(certificate *v1alpha1.ObservedCertificate) string {
	latest := certificate.Status.LatestVersion
	condition := meta.FindStatusCondition(certificate.Status.Conditions, v1alpha1.ConditionVersionWatched)
	if latest == nil || condition == nil || condition.Status != metav1.ConditionTrue || condition.ObservedGeneration != certificate.Generation {
		return ""
	}
	return latest.Version
}

// target is what nodes should have: the certificate that the others have, and where the version watch is on, its version, up to a
// wave of nodes.
type target struct {
	current held
	latest  string // empty where it is not known
	wave    int    // 0 without waves
}

// has reports whether a node has it.
func (t target) has(h held) bool {
	return h == t.current && (t.latest == "" || h.version == t.latest)
}
