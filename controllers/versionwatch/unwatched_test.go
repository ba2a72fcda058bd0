package versionwatch

import (
	"testing"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestAConfigMapIsNeverListed(t *testing.T) {
	certificate := &v1alpha1.ObservedCertificate{Spec: v1alpha1.ObservedCertificateSpec{ConfigMap: &v1alpha1.ConfigMapKey{Name: "corporate", Key: "ca.crt"}}}
	if secret, why := watched(certificate); why == nil || why.reason != reasonConfigMap {
		t.Errorf("got %v, %+v; want the reason %s", secret, why, reasonConfigMap)
	}
	latest, condition, known := (&Watch{}).Of(certificate)
	if latest != nil || !known || condition.Reason != reasonConfigMap {
		t.Errorf("got %v, %+v, %v", latest, condition, known)
	}
}
