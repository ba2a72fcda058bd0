//go:build !standalone

package main

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vaultpane/vaultpane/api/v1alpha1"
)

func TestTheCacheHoldsWhatTheAgentLooksAt(t *testing.T) {
	whole := &v1alpha1.ObservedCertificate{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Generation: 2, Annotations: map[string]string{
			v1alpha1.RequestedAtAnnotation: "2026-11-28T12:00:00Z", "kubectl.kubernetes.io/last-applied-configuration": "{}",
		}},
		Spec:   v1alpha1.ObservedCertificateSpec{URL: "https://v.vault.azure.net/secrets/web", Accounts: []string{"S-1-5-20"}},
		Status: v1alpha1.ObservedCertificateStatus{Version: "v1"},
	}
	want := whole.DeepCopy()
	want.Annotations = map[string]string{v1alpha1.RequestedAtAnnotation: "2026-11-28T12:00:00Z"}
	want.Status = v1alpha1.ObservedCertificateStatus{}
	got, err := slimCertificate(whole)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
