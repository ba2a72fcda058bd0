package rollup

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestWithoutAVersionWatchAConfigMapDoesNotSayThatNodesPollAVault(t *testing.T) {
	fromConfigMap := &v1alpha1.ObservedCertificate{Spec: v1alpha1.ObservedCertificateSpec{ConfigMap: &v1alpha1.ConfigMapKey{Name: "corporate", Key: "ca.crt"}}}
	for reason, certificate := range map[string]*v1alpha1.ObservedCertificate{reasonConfigMap: fromConfigMap, reasonNotEnabled: {}} {
		latest, condition, known := noVersions{}.Of(certificate)
		if latest != nil || !known || condition.Reason != reason || condition.Status != metav1.ConditionFalse {
			t.Errorf("got %v, %+v, %v; want the reason %s", latest, condition, known, reason)
		}
	}
}

func TestAnExpiredCertificateOfAConfigMapIsNotRenewedInAVault(t *testing.T) {
	old := held{thumbprint: "T0", notAfter: noon.Unix()}
	a := affectedNode{status: nodeStatus{held: old}}
	want := "certificate T0 on the node expired on 2026-06-01T12:00:00Z; replace it in the ConfigMap"
	if got := a.expired(&desired{configMap: true}, v1alpha1.CertificateEntry{}, old, noon); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
